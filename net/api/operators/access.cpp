#include "net/api/operators/access.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "net/http/text.hpp"

namespace billd::api::operators {
namespace {

/// Empty unless the text is base64.
std::string decoded_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  bytes.resize(static_cast<std::size_t>(size));
  // What the padding stands for was decoded, too.
  for (std::size_t i = 0; i < 2 && text.ends_with('='); ++i) {
    bytes.pop_back();
    text.remove_suffix(1);
  }
  return bytes;
}

struct Credentials {
  std::string token;
  bool is_bearer = false;
};

std::optional<Credentials> credentials_of(const http::Request& request) {
  const std::string_view field = request.headers.find("Authorization").value_or("");
  const std::size_t space = field.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = field.substr(0, space), rest = field.substr(space + 1);
  if (http::equals_ignoring_case(scheme, "Bearer")) return Credentials{std::string(rest), true};
  if (!http::equals_ignoring_case(scheme, "Basic")) return std::nullopt;
  const std::string pair = decoded_base64(rest);
  const std::size_t colon = pair.find(':');
  if (colon == std::string::npos) return std::nullopt;
  // curl -u TOKEN: sends it as the user, browsers as the password.
  std::string password = pair.substr(colon + 1);
  return Credentials{password.empty() ? pair.substr(0, colon) : std::move(password), false};
}

/// The name in a Host field, without its port.
std::string_view host_name(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon == std::string_view::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

/// Names of hosts can be made to lead anywhere by those who own them; addresses cannot.
bool is_address(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

Access::Access() {
  KeyRandomness randomness;
  secure_random(randomness);
  secret_.assign(reinterpret_cast<const char*>(randomness.data()), randomness.size());
}

void Access::set(std::vector<OperatorToken> tokens, std::string host) {
  tokens_ = std::move(tokens);
  host_ = std::move(host);
}

Result<Grant> Access::admit(const http::Request& request) const {
  if (tokens_.empty()) {
    const std::string_view host = host_name(request.headers.find("Host").value_or(""));
    if (!is_address(host) && !http::equals_ignoring_case(host, "localhost") &&
        (host_.empty() || !http::equals_ignoring_case(host, host_)))
      return Failure{Errc::forbidden,
                     "This listener is reached by its address, by localhost, or by the name in operators.host; not by "
                     "another name, which might belong to anybody."};
    return Grant{OperatorRole::act, "", false};
  }
  const auto credentials = credentials_of(request);
  const OperatorToken* found = credentials ? find_operator(tokens_, credentials->token) : nullptr;
  if (found == nullptr)
    return Failure{Errc::unauthenticated,
                   credentials ? "This token is not known." : "Give your token, as the password or as a Bearer token."};
  return Grant{found->role, found->name, credentials->is_bearer};
}

std::string Access::form_token(const Grant& grant) const { return hash_key(secret_ + "form " + grant.name); }

Result<void> Access::admit_action(const http::Request& request, const Grant& grant,
                                  std::optional<std::string_view> form_token) const {
  if (!grant.may_act())
    return Failure{Errc::forbidden, "This token may look, not act: that takes one with the role act."};
  if (grant.is_bearer) return Result<void>();
  const Failure elsewhere{Errc::forbidden, "This request was made by a page from elsewhere."};
  const auto site = request.headers.find("Sec-Fetch-Site");
  if (site && *site != "same-origin") return elsewhere;
  if (const auto origin = request.headers.find("Origin")) {
    const std::size_t scheme = origin->find("://");
    if (scheme == std::string_view::npos ||
        !http::equals_ignoring_case(origin->substr(scheme + 3), request.headers.find("Host").value_or("")))
      return elsewhere;
  }
  if (form_token && !is_same(*form_token, this->form_token(grant)))
    return Failure{Errc::forbidden, "This page is older than the daemon: go back, reload it, and try again."};
  return Result<void>();
}

}  // namespace billd::api::operators
