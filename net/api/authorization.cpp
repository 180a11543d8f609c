#include "net/api/authorization.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/beast/core/detail/base64.hpp>

#include "net/http/text.hpp"

namespace billd::api {
namespace {

/// The rest behind "SCHEME ", whose case does not count.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view authorization) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  if (!http::equals_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  std::string_view rest = authorization.substr(scheme.size() + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  return rest;
}

/// Empty when there is anything behind the last of its characters.
std::optional<std::string> decode_base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  std::string decoded(base64::decoded_size(text.size()), '\0');
  const auto [written, read] = base64::decode(decoded.data(), text.data(), text.size());
  if (text.substr(read).find_first_not_of('=') != std::string_view::npos) return std::nullopt;
  decoded.resize(written);
  return decoded;
}

}  // namespace

std::optional<BasicCredentials> read_basic(std::string_view authorization) {
  const auto encoded = behind("Basic", authorization);
  const auto decoded = encoded ? decode_base64(*encoded) : std::nullopt;
  if (!decoded) return std::nullopt;
  const std::size_t colon = std::min(decoded->find(':'), decoded->size());
  return BasicCredentials{decoded->substr(0, colon), decoded->substr(std::min(colon + 1, decoded->size()))};
}

std::optional<std::string> read_bearer(std::string_view authorization) {
  const auto token = behind("Bearer", authorization);
  if (!token || token->empty()) return std::nullopt;
  return std::string(*token);
}

bool equals_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace billd::api
