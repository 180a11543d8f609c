// Waiting times that grow, with jitter, so that many clients do not return at the same instant.
#pragma once

#include <algorithm>
#include <random>

#include "net/async.hpp"

namespace billd::redis {

/// Each delay is drawn from the upper half of a span which doubles from `shortest` to `longest`.
class Backoff {
 public:
  Backoff(Milliseconds shortest, Milliseconds longest)
      : shortest_(shortest), longest_(longest), span_(shortest), random_(std::random_device{}()) {}

  Milliseconds next() {
    std::uniform_int_distribution<Milliseconds::rep> draw(span_.count() / 2, span_.count());
    span_ = std::min(span_ * 2, longest_);
    return Milliseconds(draw(random_));
  }

  void reset() { span_ = shortest_; }

 private:
  Milliseconds shortest_, longest_, span_;
  std::minstd_rand random_;
};

}  // namespace billd::redis
