// `billd verify`: proves the invariants of the data, and lets money move again after a loss that an operator accepts.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "commands/acknowledged.hpp"
#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "commands/verify.hpp"

namespace billd::commands {
namespace {

/// One line that changes, on a terminal only: what is written to the standard output is the report.
void show_progress(const VerifyProgress& progress) {
  std::fprintf(stderr, "\r\033[K%llu of %llu keys", static_cast<unsigned long long>(progress.keys_seen),
               static_cast<unsigned long long>(progress.keys_total));
}

void accept_loss(const Settings& settings) {
  const std::filesystem::path file = acknowledged_file(settings);
  if (!forget_acknowledged(file)) {
    std::fprintf(stderr, "There is no %s: no daemon with this state directory holds anything against Redis.\n",
                 file.c_str());
    return;
  }
  std::fprintf(stderr,
               "Removed %s. The next daemon with this state directory takes Redis as it is and lets money move. What "
               "was acknowledged and lost stays lost: a charge of which Redis knows nothing any more may be made "
               "again. If the daemon runs, restart it.\n",
               file.c_str());
}

awaitable<Result<int>> verify_session(Session& session, VerifyCommandOptions options) {
  VerifyOptions walk;
  walk.rebuild = options.rebuild;
  const bool on_terminal = isatty(STDERR_FILENO) == 1;
  if (on_terminal) walk.progress = show_progress;
  auto report = co_await verify(session.store(), std::move(walk));
  if (on_terminal) std::fprintf(stderr, "\r\033[K");
  if (!report) co_return report.error();
  const std::string text = options.json ? to_json(*report) : to_text(*report);
  std::printf("%s%s", text.c_str(), text.ends_with('\n') ? "" : "\n");
  co_return report->violations() == 0 ? 0 : 1;
}

}  // namespace

int verify_data(const Settings& settings, const VerifyCommandOptions& options) {
  const int status =
      run_with_session(settings, [&options](Session& session) { return verify_session(session, options); });
  if (options.accept_data_loss) accept_loss(settings);
  return status;
}

}  // namespace billd::commands
