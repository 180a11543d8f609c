// expand[]: identifiers in an answer, replaced by the objects they name.
#pragma once

#include <vector>

#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

/// Reads `expand` and holds it against what the operation answers, before anything is done: at most four levels, on
/// lists from `data` on, and only through members that can be expanded.
Result<std::vector<ExpandPath>> read_expand(const http::Parameters& parameters, Shape answers);

/// Expands what is known already.
void expand_known(Presenter& presenter, Object& answer, Shape shape, const std::vector<ExpandPath>& paths);

/// Expands everything, loading level by level what is not known. What no longer exists stays an identifier.
awaitable<Result<void>> expand(Services& services, Mode mode, Known& known, Presenter& presenter, Object& answer,
                               Shape shape, const std::vector<ExpandPath>& paths);

}  // namespace billd::api::stripe
