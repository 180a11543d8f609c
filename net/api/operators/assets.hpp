// The files that the pages are shown with, as they are in the program.
#pragma once

#include <string_view>

namespace billd::api::operators {

extern const std::string_view style_sheet;
extern const std::string_view script;

}  // namespace billd::api::operators
