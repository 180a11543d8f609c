// A plain client of Redis: sockets, poll and nothing of billd, so that what it measures is Redis.
#include "bench/replay.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>

#include "net/redis/embedded.hpp"

namespace billd::bench {
namespace {

constexpr std::size_t bytes_under_way_max = 512 * 1024;
constexpr int patience_ms = 60'000;

/// Reads commands in the form in which Redis receives and keeps them: "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n".
class CommandReader {
 public:
  explicit CommandReader(std::string_view text) : text_(text) {}

  bool is_at_end() const { return at_ == text_.size(); }
  std::size_t at() const { return at_; }

  /// False when the text is no command.
  bool next() {
    std::size_t count = 0;
    if (!number('*', count) || count == 0) return false;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t size = 0;
      if (!number('$', size) || text_.size() - at_ < size + 2) return false;
      if (i == 0) name_ = text_.substr(at_, size);
      if (i == 1) first_argument_ = text_.substr(at_, size);
      at_ += size + 2;
    }
    if (count == 1) first_argument_ = {};
    return true;
  }

  std::string_view name() const { return name_; }
  std::string_view first_argument() const { return first_argument_; }

 private:
  bool number(char kind, std::size_t& value) {
    if (at_ >= text_.size() || text_[at_] != kind) return false;
    const char* begin = text_.data() + at_ + 1;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure != std::errc() || text_.substr(static_cast<std::size_t>(end - text_.data()), 2) != "\r\n") return false;
    at_ = static_cast<std::size_t>(end - text_.data()) + 2;
    return true;
  }

  std::string_view text_, name_, first_argument_;
  std::size_t at_ = 0;
};

/// The partition in a key such as "t:{p7}:e"; 0 for others.
std::uint32_t partition_of(std::string_view key) {
  const std::size_t tag = key.find("{p");
  std::uint32_t partition = 0;
  if (tag != std::string_view::npos) std::from_chars(key.data() + tag + 2, key.data() + key.size(), partition);
  return partition;
}

/// Counts replies in what Redis sends, wherever the pieces are cut.
class ReplyCounter {
 public:
  std::uint64_t errors() const { return errors_; }

  /// How many replies were completed by this piece.
  std::uint64_t feed(std::string_view piece) {
    std::uint64_t completed = 0;
    while (!piece.empty()) {
      if (skip_ > 0) {
        const std::size_t skipped = std::min(skip_, piece.size());
        skip_ -= skipped;
        piece.remove_prefix(skipped);
        continue;
      }
      const std::size_t end = piece.find('\n');
      line_.append(piece.substr(0, end));
      if (end == std::string_view::npos) break;
      piece.remove_prefix(end + 1);
      if (take_line()) ++completed;
      line_.clear();
    }
    return completed;
  }

 private:
  /// Whether a whole reply ends with the line. The bytes of a text, which are skipped, are counted with its line.
  bool take_line() {
    long value = 0;
    std::from_chars(line_.data() + 1, line_.data() + line_.size(), value);
    switch (line_.front()) {
      case '*':
        open_ += value > 0 ? static_cast<std::uint64_t>(value) : 0;
        break;
      case '$':
        if (value >= 0) skip_ = static_cast<std::size_t>(value) + 2;
        break;
      case '-':
        ++errors_;
        break;
      default:
        break;
    }
    if (--open_ > 0) return false;
    open_ = 1;
    return true;
  }

  std::string line_;
  std::size_t skip_ = 0;
  std::uint64_t open_ = 1;  ///< elements that are missing to the end of the present reply
  std::uint64_t errors_ = 0;
};

class Sender {
 public:
  explicit Sender(redis::UniqueDescriptor socket) : socket_(std::move(socket)) {}

  void give(const WriteBlock& block) { blocks_.push_back(&block); }

  bool is_done() const { return first_unanswered_ == blocks_.size(); }
  std::uint64_t errors() const { return replies_.errors(); }

  pollfd wish() const {
    const bool may_send = sending_ < blocks_.size() && under_way_ < bytes_under_way_max;
    return {socket_.get(), static_cast<short>(POLLIN | (may_send ? POLLOUT : 0)), 0};
  }

  Result<void> write_some() {
    // Many blocks in one call: the client must not be what is measured.
    buffer_.clear();
    std::size_t block = sending_, from = sent_of_block_;
    while (block < blocks_.size() && under_way_ + buffer_.size() < bytes_under_way_max) {
      buffer_.append(blocks_[block]->bytes.substr(from));
      from = 0;
      ++block;
    }
    const ssize_t written = send(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0) return errno == EAGAIN ? Result<void>() : failed("writing");
    under_way_ += static_cast<std::size_t>(written);
    for (auto rest = static_cast<std::size_t>(written); rest > 0;) {
      const std::size_t step = std::min(rest, blocks_[sending_]->bytes.size() - sent_of_block_);
      sent_of_block_ += step;
      rest -= step;
      if (sent_of_block_ < blocks_[sending_]->bytes.size()) break;
      ++sending_;
      sent_of_block_ = 0;
    }
    return Result<void>();
  }

  Result<void> read_some() {
    char piece[64 * 1024];
    const ssize_t size = recv(socket_.get(), piece, sizeof piece, MSG_DONTWAIT);
    if (size == 0) return Failure{Errc::unavailable, "Redis closed the connection"};
    if (size < 0) return errno == EAGAIN ? Result<void>() : failed("reading");
    answered_ += replies_.feed(std::string_view(piece, static_cast<std::size_t>(size)));
    while (!is_done() && answered_ >= blocks_[first_unanswered_]->replies) {
      answered_ -= blocks_[first_unanswered_]->replies;
      under_way_ -= blocks_[first_unanswered_]->bytes.size();
      ++first_unanswered_;
    }
    return Result<void>();
  }

 private:
  static Failure failed(const char* what) { return {Errc::unavailable, std::string(what) + ": " + strerror(errno)}; }

  redis::UniqueDescriptor socket_;
  std::vector<const WriteBlock*> blocks_;
  std::string buffer_;
  std::size_t sending_ = 0, sent_of_block_ = 0, first_unanswered_ = 0, under_way_ = 0;
  std::uint64_t answered_ = 0;  ///< replies to the first block without all of its replies
  ReplyCounter replies_;
};

Result<redis::UniqueDescriptor> connect_to(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Failure{Errc::bad_configuration, path + " is too long"};
  std::memcpy(address.sun_path, path.data(), path.size());
  redis::UniqueDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const void* generic = &address;
  if (!socket || connect(socket.get(), static_cast<const sockaddr*>(generic), sizeof address) != 0)
    return Failure{Errc::unavailable, path + ": " + strerror(errno)};
  return socket;
}

}  // namespace

Result<std::vector<WriteBlock>> write_blocks(std::string_view text) {
  std::vector<WriteBlock> blocks;
  CommandReader reader(text);
  const Failure broken{Errc::corrupt, "the append-only file cannot be read"};
  while (!reader.is_at_end()) {
    const std::size_t begin = reader.at();
    if (!reader.next()) return broken;
    WriteBlock block;
    block.replies = 1;
    block.partition = partition_of(reader.first_argument());
    if (reader.name() == "MULTI") {
      do {
        if (!reader.next()) return broken;
        if (++block.replies == 2) block.partition = partition_of(reader.first_argument());
      } while (reader.name() != "EXEC");
    }
    block.bytes = text.substr(begin, reader.at() - begin);
    blocks.push_back(block);
  }
  return blocks;
}

Result<Replay> replay(const std::string& socket, const std::vector<WriteBlock>& blocks, std::size_t connections) {
  std::vector<Sender> senders;
  for (std::size_t i = 0; i < connections; ++i) {
    auto connected = connect_to(socket);
    if (!connected) return connected.error();
    senders.emplace_back(std::move(*connected));
  }
  for (const WriteBlock& block : blocks) senders[block.partition % connections].give(block);

  const auto began = std::chrono::steady_clock::now();
  std::vector<pollfd> wishes(connections);
  while (true) {
    bool is_done = true;
    for (std::size_t i = 0; i < connections; ++i) {
      wishes[i] = senders[i].wish();
      is_done = is_done && senders[i].is_done();
    }
    if (is_done) break;
    const int ready = poll(wishes.data(), wishes.size(), patience_ms);
    if (ready <= 0) return Failure{Errc::unavailable, "Redis does not answer the replay"};
    for (std::size_t i = 0; i < connections; ++i) {
      if ((wishes[i].revents & POLLOUT) != 0) {
        auto written = senders[i].write_some();
        if (!written) return written.error();
      }
      if ((wishes[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        auto read = senders[i].read_some();
        if (!read) return read.error();
      }
    }
  }
  Replay result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const Sender& sender : senders) result.errors += sender.errors();
  return result;
}

}  // namespace billd::bench
