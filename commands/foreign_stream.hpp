// What operators follow live, with another system's identifiers in the place of billd's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/http/server.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

/// Translates each piece by itself: an identifier never lies across two of them, for a piece is a number of whole
/// events. What cannot be read of aliases must not keep operators from seeing the rest.
class ForeignStream final : public http::BodyStream {
 public:
  /// The store must outlive it.
  ForeignStream(store::Store& store, std::shared_ptr<http::BodyStream> native)
      : store_(store), native_(std::move(native)) {}

  awaitable<std::optional<std::string>> next() override;
  void end() override { native_->end(); }

 private:
  store::Store& store_;
  std::shared_ptr<http::BodyStream> native_;
};

}  // namespace billd::commands
