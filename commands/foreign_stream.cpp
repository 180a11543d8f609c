#include "commands/foreign_stream.hpp"

#include "net/store/aliases.hpp"

namespace billd::commands {

awaitable<std::optional<std::string>> ForeignStream::next() {
  auto piece = co_await native_->next();
  if (!piece || !store::names_adopted(*piece)) co_return piece;
  auto told = co_await store_.aliases().to_foreign(*piece);
  if (told) *piece = std::move(*told);
  co_return piece;
}

}  // namespace billd::commands
