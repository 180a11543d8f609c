// What a schedule bills next.
#pragma once

#include "engine/decide.hpp"

namespace billd {

/// As preview() does it for a subscription; of a schedule that has not begun, the invoice of its first phase. not_found
/// when there is no such live schedule, or nothing would be billed.
Result<Invoice> preview_schedule(Account account, const ScheduleId& id, Timestamp now, const Rules& rules);

}  // namespace billd
