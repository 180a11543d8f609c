// `billd top`: the status of a running daemon, drawn anew each second.
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/basic_signal_set.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/operator_client.hpp"
#include "commands/session.hpp"
#include "commands/status_text.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// The terminal's other screen, for as long as this lives.
class Screen {
 public:
  Screen() { write("\033[?1049h\033[?25l"); }
  ~Screen() { write("\033[?25h\033[?1049l"); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void draw(const std::string& text) {
    // Each line is cleared as it is written over, so that nothing flickers.
    std::string out = "\033[H";
    for (const char c : text) {
      if (c == '\n') out += "\033[K";
      out.push_back(c);
    }
    write(out + "\033[J");
  }

  static winsize size() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 80, 0, 0};
    return size;
  }

 private:
  static void write(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
};

awaitable<> until_interrupted(Timer& ended) {
  Executor executor = co_await asio::this_coro::executor;
  asio::basic_signal_set<Executor> signals(executor, SIGINT, SIGTERM);
  [[maybe_unused]] auto [ec, signal] = co_await signals.async_wait(nothrow);
  ended.expires_at(SteadyClock::time_point::min());
}

awaitable<Result<int>> show(Executor executor, const Settings& settings, const TopOptions& options, Timer& pause) {
  OperatorClient client(executor, settings, options.daemon);
  std::optional<Screen> screen;
  const bool on_terminal = !options.json && isatty(STDOUT_FILENO) == 1;
  for (std::uint32_t round = 1;; ++round) {
    auto status = co_await client.get("/status.json");
    if (!status && !screen) co_return status.error();
    if (options.json) {
      std::printf("%s\n", json::serialize(*status).c_str());
      std::fflush(stdout);
    } else if (!on_terminal) {
      std::printf("%s", screen_text(*status, 1000, 1000).c_str());
    } else {
      if (!screen) screen.emplace();
      const winsize size = Screen::size();
      // A daemon that restarts comes back: what was known stays away meanwhile, so that nobody takes it for new.
      screen->draw(status ? screen_text(*status, size.ws_row - 1U, size.ws_col) : status.error().detail + "\n");
    }
    if (options.rounds != 0 && round == options.rounds) co_return 0;
    if (pause.expiry() == SteadyClock::time_point::min()) co_return 0;
    pause.expires_after(Milliseconds(options.interval_ms));
    [[maybe_unused]] auto [ec] = co_await pause.async_wait(nothrow);
    if (pause.expiry() == SteadyClock::time_point::min()) co_return 0;
  }
}

awaitable<Result<int>> run_top(Executor executor, const Settings& settings, const TopOptions& options) {
  Timer pause(executor, SteadyClock::time_point::max());
  Tasks tasks(executor);
  tasks.spawn("signals", until_interrupted(pause));
  auto shown = co_await show(executor, settings, options, pause);
  tasks.cancel();
  co_await tasks.idle(std::chrono::seconds(1));
  co_return shown;
}

}  // namespace

int top(const Settings& settings, const TopOptions& options) {
  return run([&](Executor executor) { return run_top(executor, settings, options); });
}

}  // namespace billd::commands
