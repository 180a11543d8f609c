// Which API a request is for, and the face that answers it.
//
// On a listener, a Host or a path prefix that is pinned to one API, that API; but of Stripe's and Stancer's, which
// share /v1, a usable key decides. Elsewhere the path decides: /users is the funding sources API, /api/v01 the
// Management API, and on what is left a key that begins with stest_ or sprod_ means Stancer's API, anything else
// Stripe's.
#pragma once

#include <optional>
#include <string_view>

#include "net/api/funding_sources/face.hpp"
#include "net/api/management/face.hpp"
#include "net/api/stancer/face.hpp"
#include "net/api/stripe/face.hpp"

namespace billd::api {

/// The API that a request is for. `pinned`: by its listener. A path prefix that means an API is cut off the target.
FaceName choose_face(const FacesSettings& settings, std::optional<FaceName> pinned, http::Request& request);

class Faces {
 public:
  /// What the services refer to must outlive the faces; the faces must outlive their coroutines.
  explicit Faces(stripe::Services services);

  awaitable<http::Response> handle(http::Request request, std::optional<FaceName> pinned);

  /// What the server answers itself, in the format of the API that `target` is for, as far as it tells.
  static http::Response render_error(std::optional<FaceName> pinned, int status, std::string_view message,
                                     std::string_view target);

 private:
  const Settings& settings_;
  store::Store& store_;
  stripe::Face stripe_;
  stancer::Face stancer_;
  management::Face management_;
  funding_sources::Face funding_sources_;
};

}  // namespace billd::api
