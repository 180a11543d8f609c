// Payment methods, the newer name of payment sources: they have an identifier before they are a customer's.
#pragma once

#include <string>

#include "net/api/stripe/known.hpp"

namespace billd::api::stripe {

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

}  // namespace billd::api::stripe
