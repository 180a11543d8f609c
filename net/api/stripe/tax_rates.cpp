// Operations on tax rates.
#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_objects.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 13> tax_types = {
    "amusement_tax", "communications_tax", "gst",         "hst", "igst", "jct", "lease_tax", "pst", "qst", "rst",
    "vat",           "sales_tax",          "service_tax",
};

constexpr std::array common_rules = {
    boolean("active"),
    text("country", 2).clearable(),
    text("description").clearable(),
    text("jurisdiction", 50).clearable(),
    text("state", 2).clearable(),
    choice("tax_type", tax_types),
    metadata(),
    list("expand"),
};
constexpr std::array create_table =
    common_rules +
    std::array{text("display_name", 50).required(), text("percentage", 32).required(), boolean("inclusive").required()};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules + std::array{text("display_name", 50)};
constexpr std::array list_table = filtered_page_rules + std::array{boolean("active"), boolean("inclusive")};

Object& show(Presenter& present, const Services&, Mode, const TaxRate& rate) { return present.tax_rate(rate); }

Result<TaxRate> apply(const Arguments& arguments, TaxRate rate) {
  if (auto active = arguments.boolean("active")) rate.active = *active;
  if (auto name = arguments.text("display_name")) rate.display_name = std::move(*name);
  if (auto country = arguments.text("country")) rate.country = std::move(*country);
  if (auto description = arguments.text("description")) rate.description = std::move(*description);
  if (auto jurisdiction = arguments.text("jurisdiction")) rate.jurisdiction = std::move(*jurisdiction);
  if (auto state = arguments.text("state")) rate.state = std::move(*state);
  if (auto type = arguments.text("tax_type")) rate.tax_type = std::move(*type);
  auto metadata = arguments.metadata_over(rate.metadata);
  if (!metadata) return metadata.error();
  rate.metadata = std::move(*metadata);
  return rate;
}

}  // namespace

constinit const std::span<const Rule> create_tax_rate_rules = create_table;
constinit const std::span<const Rule> retrieve_tax_rate_rules = retrieve_table;
constinit const std::span<const Rule> update_tax_rate_rules = update_table;
constinit const std::span<const Rule> list_tax_rates_rules = list_table;

awaitable<Result<Outcome>> create_tax_rate(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  TaxRate rate;
  rate.id = random_id<TaxRateKind>();
  rate.created = services.billing.now();
  auto percentage = read_percentage(arguments, "percentage");
  if (!percentage) co_return percentage.error();
  rate.percentage = *percentage;
  rate.inclusive = arguments.boolean("inclusive").value_or(false);
  auto applied = apply(arguments, std::move(rate));
  if (!applied) co_return applied.error();
  store::CatalogChange change(call.mode);
  co_return co_await create_object<TaxRate>(services, std::move(call), std::move(*applied), std::move(change), show);
}

awaitable<Result<Outcome>> retrieve_tax_rate(Services& services, Call call) {
  std::string id = call.variable("tax_rate");
  return retrieve_object<TaxRate>(services, std::move(call), std::move(id), "id", show);
}

awaitable<Result<Outcome>> update_tax_rate(Services& services, Call call) {
  const std::string id = call.variable("tax_rate");
  const auto change = [&call](TaxRate before) { return apply(call.arguments(), std::move(before)); };
  co_return co_await change_object<TaxRate>(services, call, id, "id", change, show);
}

awaitable<Result<Outcome>> list_tax_rates(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const auto belongs = [active = arguments.boolean("active"),
                        inclusive = arguments.boolean("inclusive")](const TaxRate& rate) {
    return (!active || rate.active == *active) && (!inclusive || rate.inclusive == *inclusive);
  };
  return list_objects<TaxRate>(services, std::move(call), belongs, show);
}

}  // namespace billd::api::stripe
