// Where what is imported comes from: a running API of Stripe's kind, or a file with its answers.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "commands/import_json.hpp"
#include "engine/result.hpp"
#include "net/async.hpp"
#include "net/http/client.hpp"

namespace billd::commands {

/// One customer with what belongs to it.
struct ForeignCustomer {
  boost::json::object customer;
  Objects sources, subscriptions, invoices;  ///< payment methods among the sources; drafts and open invoices only
  Objects ended;                             ///< subscriptions that such invoices are of
  Objects schedules;                         ///< that go on
  Objects tax_ids;
  Objects invoice_items;                 ///< pending ones
  std::map<std::string, Objects> lines;  ///< of each invoice
  std::map<std::string, Objects> usage;  ///< summaries of each metered item of the subscriptions, as far as told
};

/// What fails is said with what is to be done about it. belongings() may be asked for several customers at a time.
class ImportReader {
 public:
  virtual ~ImportReader() = default;

  virtual awaitable<Result<Objects>> products() = 0;
  virtual awaitable<Result<Objects>> plans() = 0;
  /// Those that are paid once; recurring ones may be among them.
  virtual awaitable<Result<Objects>> prices() = 0;
  virtual awaitable<Result<Objects>> coupons() = 0;
  virtual awaitable<Result<Objects>> promotion_codes() = 0;
  virtual awaitable<Result<Objects>> tax_rates() = 0;
  virtual awaitable<Result<Objects>> test_clocks() = 0;
  /// The next customers; none: that was all.
  virtual awaitable<Result<Objects>> next_customers() = 0;
  virtual awaitable<Result<ForeignCustomer>> belongings(boost::json::object customer) = 0;
};

/// `url` is the API's base, such as https://api.stripe.com. An API that has no room for more requests is asked more
/// slowly; what fails for a reason that may pass is asked again.
std::unique_ptr<ImportReader> read_from_api(Executor executor, std::string url, std::string key,
                                            std::size_t customers_at_once);

/// A JSON object with a member for each kind: products, plans, prices, coupons, promotion_codes, tax_rates,
/// test_clocks, customers, sources, tax_ids, payment_methods, subscriptions, subscription_schedules,
/// usage_record_summaries, invoices, invoiceitems; each an array, or a list object as the API answers it.
/// invalid_parameter, naming the line or the member, for any other file.
Result<std::unique_ptr<ImportReader>> read_from_file(const std::string& file);

}  // namespace billd::commands
