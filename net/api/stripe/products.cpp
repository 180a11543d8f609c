// Operations on products.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_objects.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 2> types = {"service", "good"};
constexpr std::size_t images_max = 8;

constexpr std::array common_rules = {
    boolean("active"),
    text("description", 40'000).clearable(),
    list("images").clearable(),
    list("attributes").clearable(),
    text("statement_descriptor", 22).clearable(),
    text("unit_label", 12).clearable(),
    text("tax_code").clearable(),
    text("url").clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array default_price_rules = {
    currency("currency").required(),   integer("unit_amount", 0, amount_max), text("unit_amount_decimal", 32),
    map("recurring", recurring_rules), choice("tax_behavior", tax_behaviors), metadata(),
};
constexpr std::array create_table = common_rules + std::array{
                                                       text("id", 250),
                                                       text("name", 250).required(),
                                                       choice("type", types),
                                                       map("default_price_data", default_price_rules),
                                                   };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules + std::array{text("name", 250), text("default_price")};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table =
    filtered_page_rules + std::array{boolean("active"), list("ids"), choice("type", types), text("url")};

Object& show(Presenter& present, const Services&, Mode, const Product& product) { return present.product(product); }

Result<Product> apply(const Arguments& arguments, Product product) {
  if (auto name = arguments.text("name")) product.name = std::move(*name);
  if (auto active = arguments.boolean("active")) product.active = *active;
  if (auto description = arguments.text("description")) product.description = std::move(*description);
  if (auto descriptor = arguments.text("statement_descriptor")) product.statement_descriptor = std::move(*descriptor);
  if (auto label = arguments.text("unit_label")) product.unit_label = std::move(*label);
  if (auto code = arguments.text("tax_code")) product.tax_code = std::move(*code);
  if (auto url = arguments.text("url")) product.url = std::move(*url);
  if (arguments.has("images")) product.images = arguments.texts("images");
  if (arguments.has("attributes")) product.attributes = arguments.texts("attributes");
  if (product.images.size() > images_max)
    return Failure{Errc::invalid_parameter, "A product can have up to 8 images.", "images"};
  auto metadata = arguments.metadata_over(product.metadata);
  if (!metadata) return metadata.error();
  product.metadata = std::move(*metadata);
  return product;
}

/// The price that a new product is described with.
Result<Plan> read_default_price(const Arguments& described, const Product& product) {
  auto plan = read_price(described);
  if (!plan) {
    const std::string& parameter = plan.error().parameter;
    return Failure{plan.error().code, plan.error().detail,
                   parameter.empty() ? "default_price_data" : "default_price_data[" + parameter + "]"};
  }
  auto metadata = described.metadata_over({});
  if (!metadata) return metadata.error();
  plan->metadata = std::move(*metadata);
  plan->id = random_price_id();
  plan->created = product.created;
  plan->product = product.id;
  plan->product_name = product.name;
  return plan;
}

/// The default price must be one of the product's own.
Result<void> check_default_price(const Services& services, const Call& call, const ProductId& product) {
  const std::string id = call.arguments().text_or_empty("default_price");
  if (id.empty()) return {};
  const auto price = services.catalog.get<Plan>(call.mode, id);
  if (price == nullptr || price->deleted || price->product != product) return no_such("price", id, "default_price");
  return {};
}

}  // namespace

constinit const std::span<const Rule> create_product_rules = create_table;
constinit const std::span<const Rule> retrieve_product_rules = retrieve_table;
constinit const std::span<const Rule> update_product_rules = update_table;
constinit const std::span<const Rule> delete_product_rules = delete_table;
constinit const std::span<const Rule> list_products_rules = list_table;

awaitable<Result<Outcome>> create_product(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Product product;
  product.id = arguments.has("id") ? ProductId(arguments.text_or_empty("id")) : random_id<ProductKind>();
  product.created = product.updated = services.billing.now();
  product.type = arguments.text("type").value_or("service");
  auto applied = apply(arguments, std::move(product));
  if (!applied) co_return applied.error();
  store::CatalogChange change(call.mode);
  std::vector<Plan> prices;
  if (const auto described = arguments.map("default_price_data")) {
    auto price = read_default_price(*described, *applied);
    if (!price) co_return price.error();
    applied->default_price = price->id;
    change.put(*price);
    prices.push_back(std::move(*price));
  }
  co_return co_await create_object<Product>(services, std::move(call), std::move(*applied), std::move(change), show,
                                            std::move(prices));
}

awaitable<Result<Outcome>> retrieve_product(Services& services, Call call) {
  std::string id = call.variable("product");
  return retrieve_object<Product>(services, std::move(call), std::move(id), "id", show);
}

awaitable<Result<Outcome>> update_product(Services& services, Call call) {
  const std::string id = call.variable("product");
  auto fits = check_default_price(services, call, ProductId(id));
  if (!fits) co_return fits.error();
  const Timestamp now = services.billing.now();
  const auto change = [&call, now](Product before) -> Result<Product> {
    const Arguments arguments = call.arguments();
    auto after = apply(arguments, std::move(before));
    if (!after) return after;
    if (arguments.has("default_price")) after->default_price = PlanId(arguments.text_or_empty("default_price"));
    after->updated = now;
    return after;
  };
  co_return co_await change_object<Product>(services, call, id, "id", change, show);
}

awaitable<Result<Outcome>> delete_product(Services& services, Call call) {
  const std::string id = call.variable("product");
  for (const Plan& plan : services.catalog.all<Plan>(call.mode))
    if (plan.product.value() == id && !plan.deleted)
      co_return Failure{Errc::invalid_state,
                        "This product cannot be deleted because it has one or more user-created prices."};
  co_return co_await delete_object<Product>(services, std::move(call), id, "id");
}

awaitable<Result<Outcome>> list_products(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const auto belongs = [active = arguments.boolean("active"), ids = arguments.texts("ids"),
                        by_ids = arguments.has("ids"), type = arguments.text("type"),
                        url = arguments.text("url")](const Product& product) {
    if (active && product.active != *active) return false;
    if (type && product.type != *type) return false;
    if (url && product.url != *url) return false;
    return !by_ids || std::ranges::find(ids, product.id.value()) != ids.end();
  };
  return list_objects<Product>(services, std::move(call), belongs, show);
}

}  // namespace billd::api::stripe
