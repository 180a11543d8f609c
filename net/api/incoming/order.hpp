// What a webhook asks for, made of its text: the account and the command.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "engine/command.hpp"
#include "net/async.hpp"
#include "net/gateways/gateway.hpp"
#include "net/store/store.hpp"

namespace billd::api::incoming {

/// A message whose signature was right.
struct Message {
  std::string source;   ///< the section's name
  std::string gateway;  ///< that it speaks for
  Mode mode = Mode::test;
  WebhookKind kind = WebhookKind::standard;
  std::string id;  ///< the sender's own
  std::string type;
  boost::json::object data;      ///< the object that it is about
  boost::json::object previous;  ///< of Stripe: what was otherwise before
};

/// A message about one account. Without a command it is none of billd's business, and `why` says so.
struct Order {
  AccountKey account;
  std::optional<Command> command;
  std::string why;
};

/// The services that reading takes; see face.hpp.
struct Lookups {
  store::Store& store;
  const gateways::Gateways& gateways;
};

/// What the message asks for, of each account that it concerns. invalid_parameter and missing_parameter name the member
/// that is wrong; not_found: billd does not know what it is about; unavailable: it cannot be found out now.
awaitable<Result<std::vector<Order>>> orders_of(Lookups lookups, const Message& message);

// Internal to the folder.

/// A charge or refund of billd's that a gateway speaks of.
struct Known {
  InvoiceId invoice;
  Charge charge;
  std::optional<Refund> refund;
};
awaitable<Result<Known>> find_charge(Lookups lookups, Mode mode, std::string gateway, std::string charge);
awaitable<Result<Known>> find_refund(Lookups lookups, Mode mode, std::string gateway, std::string refund);

/// The outcome as it may be recorded: of another amount or currency it is for an operator.
ChargeOutcome checked(const Known& known, ChargeOutcome outcome, const boost::json::object& data);
RefundOutcome checked(const Known& known, RefundOutcome outcome, const boost::json::object& data);

/// Kinds `standard` and `hmac`: billd's own words.
awaitable<Result<std::vector<Order>>> orders_in_own_words(Lookups lookups, const Message& message);
/// Kind `stripe`: the events of Stripe's API.
awaitable<Result<std::vector<Order>>> orders_of_stripe(Lookups lookups, const Message& message);

}  // namespace billd::api::incoming
