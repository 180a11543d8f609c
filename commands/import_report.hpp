// What an import has done, and what it could not take.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace billd::commands {

struct ImportReport {
  struct Count {
    std::size_t taken = 0, known = 0, refused = 0;
  };
  /// Something that was not taken; the reason follows on its name.
  struct Refused {
    std::string kind, id, reason;
  };

  std::map<std::string, Count> kinds;
  std::vector<Refused> refused;

  void refuse(std::string kind, std::string id, std::string reason);
  /// Adds what another part of the import has done, behind what is here.
  void add(ImportReport more);
};

/// Each thing that was not taken on a line of its own, then the counts.
std::string to_text(const ImportReport& report);
std::string to_json(const ImportReport& report);

}  // namespace billd::commands
