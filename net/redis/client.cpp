// Connecting for ever, preparing each connection, and sending what waits.
#include "net/redis/client.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace billd::redis {

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::connecting:
      return "connecting";
    case Phase::loading:
      return "loading";
    case Phase::ready:
      return "ready";
    case Phase::stopped:
      return "stopped";
  }
  return "unknown";
}

Client::Client(Executor executor, Address address, ClientSettings settings)
    : executor_(executor),
      address_(std::move(address)),
      settings_(settings),
      changed_(executor, SteadyClock::time_point::max()),
      patience_(executor),
      tasks_(executor) {
  enter(Phase::connecting, "not started");
  ClientSettings of_lane = settings_;
  of_lane.lanes = 0;
  for (std::size_t i = 0; i < settings_.lanes; ++i) {
    lanes_.push_back(std::make_unique<Client>(executor_, address_, of_lane));
    lanes_.back()->is_lane_ = true;
  }
}

Client::~Client() {
  connection_.reset();
  fail_waiting(Failure{Errc::stopping, "the client of Redis has ended"});
}

void Client::on_connected(Prepare prepare) {
  for (const auto& lane : lanes_) lane->on_connected(prepare);
  prepares_.push_back(std::move(prepare));
}

void Client::start() {
  tasks_.spawn("redis: connection to " + address_.text(), run());
  tasks_.spawn("redis: limit of waiting", limit_waiting());
  for (const auto& lane : lanes_) lane->start();
}

awaitable<Result<void>> Client::ready(Milliseconds limit) {
  auto outcome = co_await within(limit, wait_until_ready());
  const Client& last = least_ready();
  if (!outcome) co_return Failure{last.problem_code_, last.problem_};
  co_return *outcome;
}

awaitable<Result<void>> Client::wait_until_ready() {
  while (phase_ != Phase::ready && !stopping_) co_await changed_.async_wait(nothrow);
  if (stopping_) co_return Failure{Errc::stopping, "the client of Redis is stopping"};
  for (const auto& lane : lanes_) {
    auto ready = co_await lane->wait_until_ready();
    if (!ready) co_return ready;
  }
  co_return Result<void>();
}

awaitable<Result<Reply>> Client::execute(Command command) {
  Result<Reply> result;
  Batch batch(std::span(&command, 1), std::span(&result, 1));
  co_await replies_of(*this, batch);
  batch.leave();
  co_return std::move(result);
}

awaitable<std::vector<Result<Reply>>> Client::execute_all(std::vector<Command> commands) {
  std::vector<Result<Reply>> results(commands.size());
  if (commands.empty()) co_return results;
  Batch batch(commands, results);
  co_await replies_of(*this, batch);
  batch.leave();
  co_return std::move(results);
}

const Client& Client::least_ready() const {
  for (const auto& lane : lanes_)
    if (phase_ == Phase::ready && lane->phase_ != Phase::ready) return *lane;
  return *this;
}

Phase Client::phase() const { return least_ready().phase_; }

State Client::state() const {
  State state{phase_,         problem_, since_, connections_, traffic_, connection_ ? connection_->in_flight() : 0,
              waiting_.size()};
  for (const auto& lane : lanes_) {
    const State of_lane = lane->state();
    state.connections += of_lane.connections;
    state.traffic.commands += of_lane.traffic.commands;
    state.traffic.replies += of_lane.traffic.replies;
    state.traffic.error_replies += of_lane.traffic.error_replies;
    state.traffic.bytes_sent += of_lane.traffic.bytes_sent;
    state.traffic.bytes_received += of_lane.traffic.bytes_received;
    state.traffic.timeouts += of_lane.traffic.timeouts;
    state.traffic.round_trips += of_lane.traffic.round_trips;
    state.in_flight += of_lane.in_flight;
    state.waiting += of_lane.waiting;
  }
  const Client& least = least_ready();
  state.phase = least.phase_;
  state.problem = least.problem_;
  state.since = least.since_;
  return state;
}

awaitable<> Client::stop() {
  if (phase_ == Phase::stopped) co_return;
  for (const auto& lane : lanes_) co_await lane->stop();
  stopping_ = true;
  changed_.expires_after(settings_.reply_timeout);
  bool in_time = true;
  while (in_time && phase_ == Phase::ready && (!waiting_.empty() || connection_->in_flight() > 0)) {
    auto [ec] = co_await changed_.async_wait(nothrow);
    in_time = static_cast<bool>(ec);
  }
  tasks_.cancel();
  if (connection_) connection_->close("billd is stopping");
  co_await tasks_.idle(settings_.reply_timeout);
  connection_.reset();
  fail_waiting(Failure{Errc::stopping, "the client of Redis is stopping"});
  enter(Phase::stopped, problem_);
}

awaitable<> Client::run() {
  Backoff backoff(settings_.backoff_min, settings_.backoff_max);
  while (!stopping_) {
    Failure end = co_await use_one_connection();
    connection_.reset();
    if (stopping_) co_return;
    const bool served_long = phase_ == Phase::ready && SteadyClock::now() - ready_at_ > settings_.backoff_max;
    if (served_long) backoff.reset();
    // Whatever ended it, what was not sent was not done.
    if (end.code != Errc::bad_configuration) end.code = Errc::unavailable;
    fail_sent_in_part(end);
    if (end.code == Errc::bad_configuration) fail_waiting(end);
    // One connection tells for all.
    const auto level = is_lane_ ? spdlog::level::debug : spdlog::level::warn;
    if (phase_ != Phase::connecting || problem_ != end.detail) spdlog::log(level, "{}", end.detail);
    problem_code_ = end.code;
    enter(Phase::connecting, std::move(end.detail));
    co_await sleep_for(backoff.next());
  }
}

awaitable<Failure> Client::use_one_connection() {
  const ConnectionLimits limits{settings_.connect_timeout, settings_.reply_timeout};
  auto opened = co_await Connection::open(address_, limits, traffic_);
  if (!opened) co_return opened.error();
  connection_ = std::move(*opened);
  auto prepared = co_await prepare();
  if (!prepared) co_return prepared.error();
  connections_ += 1;
  ready_at_ = SteadyClock::now();
  spdlog::log(is_lane_ ? spdlog::level::debug : spdlog::level::info, "connected to Redis at {}", address_.text());
  enter(Phase::ready, problem_);
  connection_->on_progress([this] { on_progress(); });
  send_waiting();
  Failure end = co_await connection_->closed();
  co_return end;
}

awaitable<Result<void>> Client::prepare() {
  Backoff backoff(settings_.backoff_min, settings_.backoff_max);
  while (true) {
    // Unlike PING, DBSIZE is refused while the server loads its data and works while its disk is full.
    auto size = co_await connection_->execute(Command("DBSIZE"));
    if (size) break;
    if (!connection_->is_open() || classify(size.error().detail).reaction != Reaction::retry_with_backoff)
      co_return size.error();
    if (phase_ != Phase::loading) {
      enter(Phase::loading, "Redis at " + address_.text() + " is not ready: " + size.error().detail);
      spdlog::log(is_lane_ ? spdlog::level::debug : spdlog::level::info, "{}", problem_);
    }
    co_await sleep_for(backoff.next());
  }
  for (const Prepare& prepare : prepares_) {
    auto prepared = co_await prepare(*connection_);
    if (!prepared) co_return prepared.error();
  }
  co_return Result<void>();
}

awaitable<> Client::limit_waiting() {
  while (true) {
    patience_set_ = !waiting_.empty();
    patience_.expires_at(patience_set_ ? waiting_.front()->queued_at + settings_.reply_timeout
                                       : SteadyClock::time_point::max());
    co_await patience_.async_wait(nothrow);
    const auto now = SteadyClock::now();
    while (!waiting_.empty() && waiting_.front()->queued_at + settings_.reply_timeout <= now) {
      Batch& late = *waiting_.front();
      waiting_.pop_front();
      if (connection_) connection_->forget(late);
      const std::string limit = std::to_string(settings_.reply_timeout.count()) + " ms";
      const std::string why =
          phase_ == Phase::ready ? "commands wait longer than " + limit + " for their turn" : problem_;
      fail_rest(late, Failure{Errc::outcome_unknown, why}, Failure{problem_code_, why});
      late.resume(executor_);
    }
  }
}

void Client::submit(Batch& batch) {
  if (stopping_) {
    fail_rest(batch, {}, Failure{Errc::stopping, "the client of Redis is stopping"});
    batch.resume(executor_);
    return;
  }
  waiting_.push_back(&batch);
  if (waiting_.size() == 1) send_waiting();
  // Those who wait for their turn have the same patience as those who came before, so that only the first wait sets it.
  if (!waiting_.empty() && !patience_set_) patience_.cancel();
}

void Client::abandon(Batch& batch) {
  std::erase(waiting_, &batch);
  if (connection_) connection_->forget(batch);
  fail_rest(batch, Failure{Errc::outcome_unknown, "the wait for the reply was cancelled"},
            Failure{Errc::unavailable, "the wait was cancelled before the command was sent"});
  batch.resume(executor_);
}

void Client::send_waiting() {
  if (phase_ != Phase::ready || !connection_ || !connection_->is_open() || connection_->is_retiring()) return;
  while (!waiting_.empty() && connection_->in_flight() < settings_.in_flight_max &&
         connection_->bytes_in_flight() < settings_.bytes_in_flight_max) {
    Batch& batch = *waiting_.front();
    connection_->send_next(batch);
    if (batch.all_sent()) waiting_.pop_front();
  }
}

void Client::on_progress() {
  if (connection_->is_open() && connection_->is_retiring() && connection_->in_flight() == 0) {
    connection_->close("it can no longer write here (READONLY or MASTERDOWN)");
    return;
  }
  send_waiting();
  if (stopping_) changed_.cancel();
}

void Client::fail_sent_in_part(const Failure& failure) {
  // The rest of such a batch is not sent on another connection: something of others could come between.
  if (waiting_.empty() || waiting_.front()->sent == 0) return;
  Batch& batch = *waiting_.front();
  waiting_.pop_front();
  fail_rest(batch, failure, failure);
  batch.resume(executor_);
}

void Client::fail_waiting(const Failure& failure) {
  while (!waiting_.empty()) {
    Batch& batch = *waiting_.front();
    waiting_.pop_front();
    fail_rest(batch, failure, failure);
    batch.resume(executor_);
  }
}

void Client::enter(Phase phase, std::string problem) {
  phase_ = phase;
  problem_ = std::move(problem);
  since_ = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  changed_.cancel();
}

}  // namespace billd::redis
