#include "net/api/funding_sources/source.hpp"

#include <algorithm>
#include <ctime>

#include "config/secrets.hpp"
#include "net/api/characters.hpp"
#include "net/api/funding_sources/description.hpp"
#include "net/http/form.hpp"
#include "net/http/text.hpp"

namespace billd::api::funding_sources {
namespace {

using http::Parameter;

constexpr std::size_t text_length_max = 255;
constexpr unsigned own_number_bits = 32;
constexpr std::string_view secret_mark = "ps_@";
/// Members that mean nothing here may be of any shape.
const http::ParameterLimits body_limits{.depth_max = 32, .count_max = 10'000, .index_max = 10'000, .free_maps = {}};

/// The body as JSON, after its header fields. `type`: its own media type, beside application/json.
Answered<http::Parameters> read_body(const http::Request& request, std::string_view type) {
  if (!request.headers.find("Content-Length")) {
    Problem problem = missing("headers.content-length");
    problem.status = 411;
    return problem;
  }
  const auto given = request.headers.find("Content-Type");
  if (!given || given->empty()) return missing("headers.content-type");
  std::string_view media = given->substr(0, given->find(';'));
  while (media.ends_with(' ')) media.remove_suffix(1);
  if (!http::equals_ignoring_case(media, "application/json") && !http::equals_ignoring_case(media, type))
    return invalid_value("headers.content-type", "The body must be application/json or " + std::string(type) + ".");
  auto parameters = http::parse_json(request.body, body_limits);
  if (request.body.empty() || !parameters)
    return Problem{400,
                   "ERROR_BAD_REQUEST_FORMAT",
                   {},
                   std::nullopt,
                   request.body.empty() ? "The body is empty." : parameters.error().detail};
  return std::move(*parameters);
}

/// A text that was given; null counts as not given.
Answered<std::optional<std::string>> read_text(const Parameter& members, std::string_view name, std::string_view field,
                                               std::optional<std::size_t> item) {
  const Parameter* given = members.find(name);
  if (given == nullptr || (given->is_text() && given->written() == Parameter::Written::null))
    return std::optional<std::string>();
  if (!given->is_text() || given->written() != Parameter::Written::text)
    return invalid_format(field, std::string(field) + " must be a string.", item);
  if (characters_in(given->text()) > text_length_max)
    return too_long(field, std::string(field) + " must have at most 255 characters.", item);
  if (has_card_number(given->text()) || has_secret_key(given->text()))
    return invalid_value(field, std::string(field) + " holds what looks like a card number or a secret key.", item);
  return std::optional(given->text());
}

Object& present(Document& document, const Account& account, const Source& source) {
  Object& object = document.object(6);
  object.add("id", static_cast<std::int64_t>(id_of(account, source)));
  object.add("remote_id", document.text(source.reference));
  object.add("nickname", document.text(source.nickname));
  object.add("last_used", document.text(last_used_text(source)));
  object.add("added", document.text(date_text(source.created)));
  object.add("user_id", static_cast<std::int64_t>(account.customer.number));
  return object;
}

std::tm parts_of(Timestamp time) {
  const std::time_t seconds = to_unix(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

std::string formatted(Timestamp time, const char* format) {
  const std::tm parts = parts_of(time);
  std::array<char, 64> text{};
  // The names of days and months come from the C locale, which billd never changes.
  const std::size_t size = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), size};
}

}  // namespace

std::vector<DescribedMember> described_sources(bool is_new) {
  const DescribedMember remote_id{"remote_id", DescribedMember::Type::text, 1, text_length_max, is_new};
  const DescribedMember nickname{"nickname", DescribedMember::Type::text, 0, text_length_max};
  DescribedMember list{provider, DescribedMember::Type::list, 1, is_new ? 0U : 1U, true, {remote_id, nickname}};
  return {{"funding_sources", DescribedMember::Type::map, 0, 0, true, {std::move(list)}}};
}

std::vector<DescribedMember> described_user(bool is_new) {
  auto text = [](std::string_view name) {
    return DescribedMember{name, DescribedMember::Type::text, 0, text_length_max};
  };
  std::vector<DescribedMember> members = {
      text("email"), {"name", DescribedMember::Type::map, 0, 0, false, {text("given"), text("family")}}};
  if (!is_new) return members;
  members.push_back({"username", DescribedMember::Type::text, username_length_min, username_length_max, true});
  members.push_back(text("customer"));
  return members;
}

Answered<std::vector<SourceFields>> read_sources(const http::Request& request) {
  auto body = read_body(request, "funding_sources/json");
  if (!body) return body.error();
  const Parameter* providers = body->find("funding_sources");
  if (providers == nullptr) return missing("funding_sources");
  if (!providers->is_map())
    return invalid_format("funding_sources", "funding_sources must be an object with a list for each provider.");
  std::vector<SourceFields> sources;
  for (const Parameter& list : providers->children()) {
    if (list.name() != provider) return invalid_value("funding_sources", "The only provider is stripe.");
    if (!list.is_list())
      return invalid_format("funding_sources", "funding_sources must have a list for each provider.");
    for (const Parameter& entry : list.children()) {
      const std::size_t item = sources.size();
      if (!entry.is_map()) return invalid_format("funding_sources", "A funding source must be an object.", item);
      SourceFields fields;
      auto remote_id = read_text(entry, "remote_id", "remote_id", item);
      if (!remote_id) return remote_id.error();
      auto nickname = read_text(entry, "nickname", "nickname", item);
      if (!nickname) return nickname.error();
      if (remote_id->has_value() && (*remote_id)->empty()) return missing("remote_id", item);
      sources.push_back({std::move(*remote_id), std::move(*nickname)});
    }
  }
  return sources;
}

Answered<UserFields> read_user(const http::Request& request) {
  auto body = read_body(request, "users/json");
  if (!body) return body.error();
  UserFields fields;
  struct Text {
    const char* name;
    std::optional<std::string>* to;
  };
  for (const Text& text :
       {Text{"username", &fields.username}, Text{"email", &fields.email}, Text{"customer", &fields.customer}}) {
    auto read = read_text(*body, text.name, text.name, std::nullopt);
    if (!read) return read.error();
    *text.to = std::move(*read);
  }
  const Parameter* name = body->find("name");
  if (name == nullptr) return fields;
  if (!name->is_map()) return invalid_format("name", "name must be an object with given and family.");
  for (const Text& text : {Text{"given", &fields.given}, Text{"family", &fields.family}}) {
    auto read = read_text(*name, text.name, std::string_view(text.name) == "given" ? "name.given" : "name.family",
                          std::nullopt);
    if (!read) return read.error();
    *text.to = std::move(*read);
  }
  return fields;
}

std::uint64_t id_of(const Account& account, const Source& source) {
  if (source.gateway != provider || account.customer.number == 0) return 0;
  const std::string_view body = id_body(source.id.value());
  if (body.size() != id_body_length || !body.starts_with(account.key.value())) return 0;
  const auto own = object_number(account.key, body.substr(account_key_length));
  if (!own || *own >> own_number_bits != 0) return 0;
  return account.customer.number << own_number_bits | *own;
}

const Source* find_source(const Account& account, std::uint64_t id) {
  if (id == 0) return nullptr;
  for (const Source& source : account.sources)
    if (id_of(account, source) == id) return &source;
  return nullptr;
}

NewSource new_source(const SourceFields& fields) {
  NewSource source;
  source.gateway = provider;
  source.reference = fields.remote_id.value_or("");
  source.nickname = fields.nickname.value_or("");
  return source;
}

std::string date_text(Timestamp time) {
  std::string text = formatted(time, "%Y-%m-%dT%H:%M:%S");
  const auto rest = (time - whole_second(time)).count();
  if (rest != 0) {
    std::string digits = std::to_string(1'000'000 + rest).replace(0, 1, ".");
    while (digits.ends_with('0')) digits.pop_back();
    text += digits;
  }
  return text + "Z";
}

std::string last_used_text(const Source& source) {
  return source.last_used ? date_text(*source.last_used) : "0001-01-01T00:00:00Z";
}

std::string header_date(Timestamp time) { return formatted(time, "%a, %d %b %Y %H:%M:%S GMT"); }

http::Response show_sources(const Account& account, const std::vector<const Source*>& sources,
                            std::string_view message) {
  Document document;
  Array& list = document.array(sources.size());
  for (const Source* source : sources) list.add(present(document, account, *source));
  Object& providers = document.object(1);
  providers.add("stripe", list);
  Object& body = document.object(3);
  body.add("code", 200);
  body.add("msg", document.text(message));
  body.add("funding_sources", providers);
  http::Response response;
  response.content_type = "funding_sources/json";
  response.body = to_json(body);
  return response;
}

http::Response show_user(const Account& account, int status, std::string_view message, SecretShown shown) {
  const Customer& customer = account.customer;
  const SplitName split = split_name(customer);
  Document document;
  Object& name = document.object(2);
  name.add("given", document.text(split.first));
  name.add("family", document.text(split.last));
  Object& user = document.object(7);
  user.add("id", static_cast<std::int64_t>(customer.number));
  user.add("username", document.text(customer.user_name));
  user.add("email", document.text(customer.email));
  user.add("name", name);
  user.add("joined", document.text(date_text(customer.created)));
  user.add("customer", document.text(customer.id.value()));
  if (shown == SecretShown::yes) user.add("secret", document.text(secret_mark));
  Array& users = document.array(1);
  users.add(user);
  Object& body = document.object(3);
  body.add("code", status);
  body.add("msg", document.text(message));
  body.add("users", users);
  http::Response response;
  response.status = status;
  response.content_type = "users/json";
  response.body = to_json(body);
  return response;
}

void reveal_secret(http::Response& response, std::string_view secret) {
  // No text that a client gave can look like the member: a quotation mark in it would be escaped.
  const std::string member = "\"secret\":\"", concealed = member + std::string(secret_mark) + "\"";
  const std::size_t at = response.body.find(concealed);
  if (at != std::string::npos) response.body.replace(at + member.size(), secret_mark.size(), secret);
}

}  // namespace billd::api::funding_sources
