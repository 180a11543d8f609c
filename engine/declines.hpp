// What a decline says of the next attempt.
#pragma once

#include <string_view>

namespace billd {

/// Whether trying the same card again is of no use, however long one waits: it is lost, stolen or withdrawn, or its
/// holder has taken the permission back. An unknown code is worth a retry.
bool is_final_decline(std::string_view code);

}  // namespace billd
