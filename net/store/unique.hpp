// Values that only one customer of a mode may have: who holds them, exactly, whatever is under way at the same time.
//
// A value is held by a text that names an account (holder). It counts only together with the account: a value that is
// held for an account which does not exist, is deleted, or does not show the value is free to be taken.
//
// For a new customer the account's key is drawn into the partition of the value, and its first commit is bound to the
// value (Execution::held): whoever takes the value over in between makes that commit fail. So a holder may be
// dispossessed as long as its account does not exist, and nothing has to be given up when a commit fails. That it does
// not exist is known only in the moment of the taking (take_over): it may be created right after it was looked
// for, and the value is held then as before.
#pragma once

#include <string_view>

#include "net/store/store.hpp"

namespace billd::store {

std::string_view to_text(UniqueKind kind);

/// A new key of an account in the partition of the value.
AccountKey draw_account_key(const Store& store, const Unique& unique);

/// Takes the value over from a new account that had not been created when it was looked for. conflict: the value is not
/// held as `seen` any more, or the account has been created by now.
awaitable<Result<void>> take_over(Store& store, Mode mode, Unique unique, AccountKey uncreated, std::string seen,
                                  std::string wanted);

}  // namespace billd::store
