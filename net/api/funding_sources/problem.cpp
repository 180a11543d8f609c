#include "net/api/funding_sources/problem.hpp"

#include "net/api/document.hpp"
#include "net/log.hpp"

namespace billd::api::funding_sources {

constexpr std::string_view key_field = "headers.idempotency-key";

void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
  check_failed(__FILE__, __LINE__, "refused", problem.message);
}

Problem missing(std::string_view field, std::optional<std::size_t> item) {
  return {400, "ERROR_MISSING_PARAM", field, item, std::string(field) + " is missing."};
}

Problem invalid_format(std::string_view field, std::string message, std::optional<std::size_t> item) {
  return {400, "ERROR_INVALID_FORMAT", field, item, std::move(message)};
}

Problem invalid_value(std::string_view field, std::string message, std::optional<std::size_t> item) {
  return {400, "ERROR_INVALID_VALUE", field, item, std::move(message)};
}

Problem too_short(std::string_view field, std::string message, std::optional<std::size_t> item) {
  return {400, "ERROR_TOO_SHORT", field, item, std::move(message)};
}

Problem too_long(std::string_view field, std::string message, std::optional<std::size_t> item) {
  return {400, "ERROR_TOO_LONG", field, item, std::move(message)};
}

Problem not_found(std::string_view field) {
  return {404, "ERROR_NOT_FOUND", field, std::nullopt, "The specified " + std::string(field) + " does not exist."};
}

Problem in_use(std::string_view field, std::string message) {
  return {409, "ERROR_ALREADY_IN_USE", field, std::nullopt, std::move(message)};
}

Problem access_denied() {
  return {403, "ERROR_ACCESS_DENIED", {}, std::nullopt, "You do not have access to what belongs to that user."};
}

Problem unauthorized(std::string_view code, std::string message) {
  return {401, code, "headers.authorization", std::nullopt, std::move(message)};
}

Problem problem_of_key(const Failure& failure) {
  if (failure.code == Errc::invalid_parameter) return invalid_value(key_field, failure.detail);
  return problem_of(failure);
}

Problem problem_of(const Failure& failure) {
  switch (failure.code) {
    case Errc::not_found:
      return not_found(failure.parameter == "customer" ? "user" : "id");
    case Errc::idempotency_mismatch:
      return invalid_value(key_field, failure.detail);
    case Errc::idempotency_in_progress:
      return in_use(key_field, failure.detail);
    case Errc::limit_exceeded:
      return too_long("funding_sources", failure.detail);
    case Errc::invalid_parameter:
      return invalid_value(failure.parameter == "reference" ? "remote_id" : "funding_sources", failure.detail);
    default:
      break;
  }
  Problem problem;
  if (failure.code == Errc::unavailable || failure.code == Errc::outcome_unknown || failure.code == Errc::stopping)
    problem.status = 503;
  log::error({}, "answered {}: {}: {}", problem.status, message(failure.code), failure.detail);
  return problem;
}

http::Response render(const Problem& problem) {
  Document document;
  Object& error = document.object(3);
  error.add("code", document.text(problem.code));
  if (!problem.field.empty()) error.add("field", document.text(problem.field));
  if (problem.item) error.add("item", static_cast<std::int64_t>(*problem.item));
  Array& errors = document.array(1);
  errors.add(error);
  Object& body = document.object(3);
  body.add("code", problem.status);
  body.add("msg", document.text(problem.message));
  body.add("errors", errors);
  http::Response response;
  response.status = problem.status;
  response.content_type = "errors/json";
  response.body = to_json(body);
  if (problem.status == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"funding sources\"");
  return response;
}

}  // namespace billd::api::funding_sources
