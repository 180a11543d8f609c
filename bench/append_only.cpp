#include "bench/append_only.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace billd::bench {
namespace {

constexpr const char* folder = "appendonlydir";
constexpr Milliseconds rewrite_limit = std::chrono::minutes(10);

/// The incremental file that the manifest names last. Its lines: "file appendonly.aof.1.incr.aof seq 1 type i".
Result<std::filesystem::path> newest_increment(const std::filesystem::path& directory) {
  std::ifstream manifest(directory / folder / "appendonly.aof.manifest");
  std::string newest;
  for (std::string line; std::getline(manifest, line);) {
    std::istringstream words(line);
    std::string word, name;
    words >> word >> name;
    if (line.ends_with("type i")) newest = name;
  }
  if (newest.empty()) return Failure{Errc::corrupt, "there is no incremental file in " + directory.string()};
  return directory / folder / newest;
}

awaitable<Result<void>> until_rewritten(redis::Client& client) {
  const auto until = SteadyClock::now() + rewrite_limit;
  while (SteadyClock::now() < until) {
    auto info = co_await client.execute(redis::Command("INFO", "persistence"));
    if (!info) co_return info.error();
    const std::string& text = info->text();
    if (text.find("aof_rewrite_in_progress:0") != std::string::npos &&
        text.find("aof_rewrite_scheduled:0") != std::string::npos)
      co_return Result<void>();
    co_await sleep_for(Milliseconds(50));
  }
  co_return Failure{Errc::unavailable, "Redis does not get done with rewriting its append-only file"};
}

}  // namespace

awaitable<Result<AppendOnlyMark>> rewrite_append_only(redis::Client& client, std::filesystem::path directory) {
  auto set = co_await client.execute(redis::Command("CONFIG", "SET", "auto-aof-rewrite-percentage", "0"));
  if (!set) co_return set.error();
  auto idle = co_await until_rewritten(client);
  if (!idle) co_return idle.error();
  auto begun = co_await client.execute(redis::Command("BGREWRITEAOF"));
  if (!begun) co_return begun.error();
  auto rewritten = co_await until_rewritten(client);
  if (!rewritten) co_return rewritten.error();
  AppendOnlyMark mark;
  auto file = newest_increment(directory);
  if (!file) co_return file.error();
  mark.directory = std::move(directory);
  mark.file = std::move(*file);
  mark.offset = std::filesystem::file_size(mark.file);
  co_return mark;
}

Result<void> copy_append_only(const AppendOnlyMark& mark, const std::filesystem::path& directory) {
  std::error_code error;
  const std::filesystem::path from = mark.directory / folder, to = directory / folder;
  std::filesystem::create_directories(to, error);
  for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
    std::filesystem::copy_file(entry.path(), to / entry.path().filename(), error);
    if (error) break;
  }
  if (!error) std::filesystem::resize_file(to / mark.file.filename(), mark.offset, error);
  if (error) return Failure{Errc::unavailable, "copying " + from.string() + ": " + error.message()};
  return Result<void>();
}

Result<std::string> written_since(const AppendOnlyMark& mark) {
  std::ifstream file(mark.file, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(mark.offset));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) return Failure{Errc::unavailable, mark.file.string() + " cannot be read"};
  return text;
}

}  // namespace billd::bench
