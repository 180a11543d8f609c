// The faults of the built-in test gateway: an extension of billd's, for whoever wants to see what their integration
// does when a processor misbehaves.
#include <algorithm>

#include "config/choices.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::size_t faults_max = 1'000;
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array set_table = {list("faults").clearable(), list("expand")};

Result<gateways::Gateway*> test_gateway(Services& services, const Call& call) {
  if (call.is_live())
    return Failure{Errc::invalid_parameter,
                   "Faults are of the test gateway, in test mode only: use a key that begins with sk_test_."};
  gateways::Gateway* gateway = services.gateways.find("test");
  if (gateway == nullptr) return Failure{Errc::not_found, "There is no test gateway."};
  return gateway;
}

awaitable<Result<Outcome>> show_faults(Services& services, const Call& call, const gateways::Gateway& gateway) {
  Reply reply(services, call);
  Object& object = reply.document.object(3);
  const std::vector<TestFault> faults = gateway.faults();
  Array& names = reply.document.array(faults.size());
  for (const TestFault fault : faults) names.add(reply.document.text(name_of(fault)));
  object.add("object", "test_helpers.gateway_faults");
  object.add("faults", names);
  object.add("livemode", false);
  co_return co_await reply.answer(object);
}

}  // namespace

constinit const std::span<const Rule> retrieve_gateway_faults_rules = retrieve_table;
constinit const std::span<const Rule> set_gateway_faults_rules = set_table;

awaitable<Result<Outcome>> retrieve_gateway_faults(Services& services, Call call) {
  const auto gateway = test_gateway(services, call);
  if (!gateway) co_return gateway.error();
  co_return co_await show_faults(services, call, **gateway);
}

awaitable<Result<Outcome>> set_gateway_faults(Services& services, Call call) {
  const auto gateway = test_gateway(services, call);
  if (!gateway) co_return gateway.error();
  std::vector<TestFault> faults;
  const Arguments arguments = call.arguments();
  std::vector<std::string> names;
  if (arguments.has_value("faults")) names = arguments.texts("faults");
  for (const std::string& name : names) {
    const auto fault = std::ranges::find(choices<TestFault>, name, [](TestFault each) { return name_of(each); });
    if (fault == choices<TestFault>.end())
      co_return Failure{Errc::invalid_parameter, "There is no fault " + name + "; net/gateways/faults.md names them.",
                        "faults"};
    faults.push_back(*fault);
  }
  if (faults.size() > faults_max)
    co_return Failure{Errc::invalid_parameter, "There can be at most 1000 faults.", "faults"};
  (*gateway)->set_faults(std::move(faults));
  co_return co_await show_faults(services, call, **gateway);
}

}  // namespace billd::api::stripe
