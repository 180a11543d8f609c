#include "net/api/faces.hpp"

#include <algorithm>
#include <array>

#include "net/api/authorization.hpp"
#include "net/http/server.hpp"
#include "net/http/text.hpp"
#include "net/log.hpp"
#include "net/store/aliases.hpp"

namespace billd::api {
namespace {

constexpr std::array all_faces = {FaceName::stripe, FaceName::stancer, FaceName::management, FaceName::funding_sources};

/// Whether the path is the prefix, or is below it.
bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// The API of the request's key, where it has one.
std::optional<FaceName> face_of_key(const http::Headers& headers) {
  const auto authorization = headers.find("Authorization");
  if (!authorization) return std::nullopt;
  std::string key;
  if (auto bearer = read_bearer(*authorization))
    key = std::move(*bearer);
  else if (auto basic = read_basic(*authorization))
    key = std::move(basic->user);
  const auto kind = kind_of(key);
  if (kind == KeyKind::stripe) return FaceName::stripe;
  if (kind == KeyKind::stancer) return FaceName::stancer;
  return std::nullopt;
}

std::optional<FaceName> face_of_path(std::string_view path) {
  if (is_below(path, "/users")) return FaceName::funding_sources;
  if (is_below(path, "/api/v01")) return FaceName::management;
  return std::nullopt;
}

std::optional<FaceName> face_of_host(const FacesSettings& settings, const http::Headers& headers) {
  std::string_view host = headers.find("Host").value_or("");
  if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
  for (FaceName face : all_faces) {
    const auto& names = settings.of(face).hosts;
    if (std::ranges::any_of(names, [&](const std::string& name) { return http::equals_ignoring_case(name, host); }))
      return face;
  }
  return std::nullopt;
}

/// The API of the longest prefix that the path begins with, which is cut off.
std::optional<FaceName> take_prefix(const FacesSettings& settings, http::Request& request) {
  std::optional<FaceName> found;
  std::size_t length = 0;
  for (FaceName face : all_faces) {
    const std::string& prefix = settings.of(face).path_prefix;
    if (prefix.size() <= length || !is_below(request.path(), prefix)) continue;
    found = face;
    length = prefix.size();
  }
  if (!found) return std::nullopt;
  request.target.erase(0, length);
  if (!request.target.starts_with('/')) request.target.insert(0, "/");
  return found;
}

}  // namespace

FaceName choose_face(const FacesSettings& settings, std::optional<FaceName> pinned, http::Request& request) {
  const auto by_prefix = take_prefix(settings, request);
  if (by_prefix)
    pinned = by_prefix;
  else if (!pinned)
    pinned = face_of_host(settings, request.headers);
  if (!pinned) {
    if (const auto by_path = face_of_path(request.path())) return *by_path;
  }
  const bool is_of_v1 = !pinned || *pinned == FaceName::stripe || *pinned == FaceName::stancer;
  const auto by_key = is_of_v1 ? face_of_key(request.headers) : std::nullopt;
  return by_key.value_or(pinned.value_or(FaceName::stripe));
}

Faces::Faces(stripe::Services services)
    : settings_(services.settings),
      store_(services.store),
      stripe_(services),
      stancer_(FaceServices{services.billing, services.store, services.catalog, services.settings}),
      management_(FaceServices{services.billing, services.store, services.catalog, services.settings}),
      funding_sources_(FaceServices{services.billing, services.store, services.catalog, services.settings}) {}

awaitable<http::Response> Faces::handle(http::Request request, std::optional<FaceName> pinned) {
  const FaceName face = choose_face(settings_.faces, pinned, request);
  http::Response response;
  switch (face) {
    case FaceName::stancer:
      response = co_await stancer_.handle(std::move(request));
      break;
    case FaceName::management:
      response = co_await management_.handle(std::move(request));
      break;
    case FaceName::funding_sources:
      response = co_await funding_sources_.handle(std::move(request));
      break;
    case FaceName::stripe:
      response = co_await stripe_.handle(std::move(request));
      break;
  }
  if (!store::names_adopted(response.body)) co_return response;
  auto body = co_await store_.aliases().to_foreign(std::move(response.body));
  if (body) {
    response.body = std::move(*body);
    co_return response;
  }
  log::error({}, "what other systems call objects cannot be read: {}", body.error().detail);
  http::Response failed =
      render_error(face, 503, "What was asked for may have been done, but cannot be told now.", "/");
  failed.headers = std::move(response.headers);
  co_return failed;
}

http::Response Faces::render_error(std::optional<FaceName> pinned, int status, std::string_view message,
                                   std::string_view target) {
  const auto face = pinned ? pinned : face_of_path(target.substr(0, target.find('?')));
  if (face == FaceName::management) {
    http::Response response =
        management::render_refusal({management::code_of_status(status), std::string(message)}, "application/json");
    response.status = status;
    return response;
  }
  if (face == FaceName::funding_sources) return funding_sources::render_error(status, message);
  return http::render_error_as_json(status, message, target);
}

}  // namespace billd::api
