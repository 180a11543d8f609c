// Payment methods, the newer name of payment sources: they have an identifier before they are a customer's.
#pragma once

#include <string>

#include "net/api/stripe/known.hpp"
#include "net/api/stripe/parameters.hpp"

namespace billd::api::stripe {

inline constexpr std::array<std::string_view, 2> redirects = {"always", "never"};
inline constexpr std::array automatic_means_rules = {boolean("enabled").required(),
                                                     choice("allow_redirects", redirects)};
/// The kinds of payment methods that an intent may be paid with, listed or left to billd, which takes all it has.
inline constexpr std::array offered_means_rules = {
    map("automatic_payment_methods", automatic_means_rules),
    list("payment_method_types"),
};

/// Refuses kinds that billd does not have, in that list.
Result<void> check_offered_means(const Arguments& arguments, const std::string& list = "payment_method_types");

struct FoundPaymentMethod {
  const Account* account = nullptr;  ///< whose it is, valid as long as `known`; nullptr: nobody's
  Source source;

  CustomerId customer() const { return account != nullptr ? account->customer.id : CustomerId(); }
};

/// Finds it with its customer, or what is held of it while it is nobody's. not_found names the parameter.
awaitable<Result<FoundPaymentMethod>> find_payment_method(Services& services, Mode mode, Known& known, std::string id,
                                                          std::string parameter);

/// What the identifier stands for, as a source to be added to the customer: a payment method, which is the customer's
/// from then on, or one of the test mode ("pm_card_visa"). One that was attached to somebody before is refused.
awaitable<Result<NewSource>> describe_payment_method(Services& services, const Call& call, CustomerId customer,
                                                     std::string id, std::string parameter);

/// The source that something is to be paid with, by its identifier: a payment method that is nobody's yet becomes the
/// customer's here. One of the test mode gets an identifier that is made of its name and of `use`, what it is for, so
/// that a repeated request adds it once. What is no payment method is answered as it is.
awaitable<Result<SourceId>> bring_payment_method(Services& services, const Call& call, const Account& account,
                                                 std::string id, std::string use, std::string parameter);

}  // namespace billd::api::stripe
