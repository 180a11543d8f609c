// What is sold, brought along into the catalog.
#pragma once

#include <map>
#include <string>

#include "commands/import_objects.hpp"
#include "commands/import_reader.hpp"
#include "commands/import_report.hpp"
#include "commands/session.hpp"

namespace billd::commands {

/// Products, plans and prices, coupons, promotion codes, tax rates and test clocks. What is there already stays as it
/// is; what was read of all of them is what customers' objects refer to.
class CatalogImport {
 public:
  /// All of them outlive it.
  CatalogImport(Session& session, ImportReader& reader, Mode mode, ImportReport& report)
      : session_(session), reader_(reader), mode_(mode), report_(report) {}

  awaitable<Result<void>> run();

  const std::map<std::string, Price>& prices() const { return prices_; }  ///< those of plans, too
  const std::map<std::string, CouponTerms>& coupons() const { return coupons_; }
  const std::map<std::string, TaxRate>& tax_rates() const { return tax_rates_; }

 private:
  awaitable<Result<void>> take_products();
  awaitable<Result<void>> take_prices(Objects foreign, std::string kind);
  awaitable<Result<void>> take_coupons();
  awaitable<Result<void>> take_promotion_codes();
  awaitable<Result<void>> take_tax_rates();
  awaitable<Result<void>> take_test_clocks();
  template <class Object>
  awaitable<Result<void>> take(std::string kind, std::string id, Result<Object> object);
  template <class Object>
  awaitable<Result<void>> begin_with(const Object& object, std::int64_t times);
  Result<PromotionCode> check_code(PromotionCode code);

  Session& session_;
  ImportReader& reader_;
  const Mode mode_;
  ImportReport& report_;
  std::map<std::string, std::string> product_names_;
  std::map<std::string, Price> prices_;
  std::map<std::string, CouponTerms> coupons_;
  std::map<std::string, TaxRate> tax_rates_;
};

}  // namespace billd::commands
