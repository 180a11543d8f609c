// Work that comes in crowds, done a little at a time.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "net/async.hpp"

namespace billd {

/// One reply of Redis may resume hundreds of coroutines. Posted one by one, they would all be done before the loop
/// looks at a socket again: a browser, a probe or another daemon's request would wait for the whole crowd. Here they
/// wait in lines of their own, of which a shift is done in each turn of the loop.
///
/// There are two lines, so that a request does not wait behind hundreds of renewals at each of its steps. What a piece
/// of work waits for next stands in the same line again; whatever else resumes a coroutine, such as a socket or a
/// timer, makes it prompt.
///
/// One for each io_context; what still waits is destroyed with it. To be used from the loop's thread.
class Shifts final : public asio::execution_context::service {
 public:
  /// For how long sockets wait for what stands in the lines at most, and for two pieces of work longer.
  static constexpr std::chrono::microseconds shift_max{1'000};

  enum class Haste : std::uint8_t {
    prompt,   ///< somebody waits for it: goes first, for half of a shift while there is patient work
    patient,  ///< comes in crowds
  };

  /// A suspended coroutine or another piece of work: done once or, when it is destroyed first, never.
  class Work {
   public:
    Work() = default;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    virtual ~Work() = default;
    virtual void run() = 0;

   private:
    friend class Shifts;
    Haste haste_ = Shifts::haste();
  };

  /// As hasty as what makes it.
  template <class Handler>
  static std::unique_ptr<Work> work(Handler handler) {
    return std::make_unique<Held<Handler>>(std::move(handler));
  }

  /// Of what is being done now.
  static Haste haste() { return present_haste; }

  /// What is begun in this scope is as hasty.
  class With {
   public:
    explicit With(Haste haste) : before_(present_haste) { present_haste = haste; }
    With(const With&) = delete;
    With& operator=(const With&) = delete;
    ~With() { present_haste = before_; }

   private:
    Haste before_;
  };

  /// `co_await Shifts::of(executor).patiently();`: makes the rest of a coroutine patient that something else resumed.
  auto patiently() {
    auto begin = [](auto handler, Shifts* shifts) {
      const With from_now_on(Haste::patient);
      shifts->add(work(std::move(handler)));
    };
    return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, this);
  }

  using key_type = Shifts;
  static asio::execution_context::id id;

  explicit Shifts(asio::execution_context& context)
      : asio::execution_context::service(context), executor_(static_cast<asio::io_context&>(context).get_executor()) {}

  static Shifts& of(Executor executor) { return asio::use_service<Shifts>(executor.context()); }

  /// Behind all that waits already in its line; never done before this returns.
  void add(std::unique_ptr<Work> work);

 private:
  template <class Handler>
  struct Held final : Work {
    explicit Held(Handler to_hold) : handler(std::move(to_hold)) {}
    void run() override { std::move(handler)(); }
    Handler handler;
  };

  using Line = std::deque<std::unique_ptr<Work>>;

  void shutdown() override {
    Line prompt, patient;  // the end of one may add another
    prompt.swap(prompt_);
    patient.swap(patient_);
  }
  void post();
  void run();
  static void work_off(Line& line, SteadyClock::time_point until);

  inline static thread_local Haste present_haste = Haste::prompt;

  Executor executor_;
  Line prompt_, patient_;
  bool is_posted_ = false;  ///< a shift is to come, or under way
};

}  // namespace billd
