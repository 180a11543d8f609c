// Work that comes in crowds, done a little at a time.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "net/async.hpp"

namespace billd {

/// One reply of Redis may resume hundreds of coroutines. Posted one by one, they would all be done before the loop
/// looks at a socket again: a browser, a probe or another daemon's request would wait for the whole crowd. Here they
/// wait in a line of their own, of which a shift is done in each turn of the loop.
///
/// One for each io_context; what still waits is destroyed with it. To be used from the loop's thread.
class Shifts final : public asio::execution_context::service {
 public:
  /// For how long sockets wait for what stands in the line at most, and for a piece of work longer.
  static constexpr std::chrono::microseconds shift_max{1'000};

  /// A suspended coroutine or another piece of work: done once or, when it is destroyed first, never.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void run() = 0;
  };

  template <class Handler>
  static std::unique_ptr<Work> work(Handler handler) {
    return std::make_unique<Held<Handler>>(std::move(handler));
  }

  using key_type = Shifts;
  static asio::execution_context::id id;

  explicit Shifts(asio::execution_context& context)
      : asio::execution_context::service(context), executor_(static_cast<asio::io_context&>(context).get_executor()) {}

  static Shifts& of(Executor executor) { return asio::use_service<Shifts>(executor.context()); }

  /// Behind all that waits already; never done before this returns.
  void add(std::unique_ptr<Work> work);

 private:
  template <class Handler>
  struct Held final : Work {
    explicit Held(Handler to_hold) : handler(std::move(to_hold)) {}
    void run() override { std::move(handler)(); }
    Handler handler;
  };

  void shutdown() override {
    std::deque<std::unique_ptr<Work>> all;  // the end of one may add another
    all.swap(waiting_);
  }
  void post();
  void run();

  Executor executor_;
  std::deque<std::unique_ptr<Work>> waiting_;
};

}  // namespace billd
