// The report of a verification, for people and for programs.
#include <algorithm>
#include <boost/json.hpp>

#include "commands/verify.hpp"

namespace billd::commands {
namespace {

struct Figure {
  std::string_view name;
  std::uint64_t value;
};

std::vector<Figure> figures(const VerifyReport& report) {
  return {{"accounts", report.accounts},
          {"deleted_customers", report.deleted_customers},
          {"subscriptions", report.subscriptions},
          {"ended_subscriptions", report.ended_subscriptions},
          {"invoices", report.invoices},
          {"settled_invoices", report.settled_invoices},
          {"charges", report.charges},
          {"succeeded_charges", report.succeeded_charges},
          {"bookings", report.bookings},
          {"events", report.events},
          {"aliases", report.aliases},
          {"parked", report.parked},
          {"restless_accounts", report.restless},
          {"audit_entries", report.audit_entries},
          {"keys", report.keys},
          {"bytes", report.bytes}};
}

std::string with_words(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

std::string to_text(const VerifyReport& report) {
  std::string text;
  for (const Figure& figure : figures(report)) {
    std::string number = std::to_string(figure.value);
    for (std::size_t place = number.size(); place > 3; place -= 3) number.insert(place - 3, ",");
    constexpr std::size_t width = 16;
    if (number.size() < width) text.append(width - number.size(), ' ');
    text.append(number).append("  ").append(with_words(figure.name)).append("\n");
  }
  text += '\n';
  for (std::size_t i = 0; i < rule_count; ++i) {
    const auto rule = static_cast<Rule>(i);
    const VerifyReport::OfRule& of_rule = report.of(rule);
    text.append(of_rule.violations == of_rule.rebuilt ? "ok      " : "BROKEN  ").append(describe(rule));
    if (of_rule.violations > 0) text.append(" ").append(std::to_string(of_rule.violations)).append(" violations");
    if (of_rule.rebuilt > 0) text.append(", ").append(std::to_string(of_rule.rebuilt)).append(" of them put right");
    text += '\n';
    for (const Violation& violation : of_rule.examples)
      text.append("          ")
          .append(violation.key)
          .append(": ")
          .append(violation.found)
          .append("; expected: ")
          .append(violation.expected)
          .append(violation.rebuilt ? " (put right)\n" : "\n");
    if (of_rule.violations > of_rule.examples.size() && !of_rule.examples.empty())
      text.append("          and ")
          .append(std::to_string(of_rule.violations - of_rule.examples.size()))
          .append(" more\n");
  }
  if (report.audit_entries > 0)
    text.append("\nThe audit log ends with entry ")
        .append(std::to_string(report.audit_entries))
        .append(", ")
        .append(report.audit_hash)
        .append(": billd's log has the same line.\n");
  const std::uint64_t broken = report.violations();
  text.append("\n").append(broken == 0 ? "Nothing is wrong" : std::to_string(broken) + " violations");
  return text.append(". It took ").append(std::to_string(report.took.count())).append(" ms.\n");
}

std::string to_json(const VerifyReport& report) {
  boost::json::object document;
  document["violations"] = report.violations();
  document["took_ms"] = report.took.count();
  document["audit_hash"] = report.audit_hash;
  boost::json::object& counts = document["figures"].emplace_object();
  for (const Figure& figure : figures(report)) counts[figure.name] = figure.value;
  boost::json::object& rules = document["rules"].emplace_object();
  for (std::size_t i = 0; i < rule_count; ++i) {
    const auto rule = static_cast<Rule>(i);
    const VerifyReport::OfRule& of_rule = report.of(rule);
    boost::json::object& entry = rules[to_text(rule)].emplace_object();
    entry["rule"] = describe(rule);
    entry["violations"] = of_rule.violations;
    entry["rebuilt"] = of_rule.rebuilt;
    boost::json::array& examples = entry["examples"].emplace_array();
    for (const Violation& violation : of_rule.examples) {
      boost::json::object example;
      example["key"] = violation.key;
      example["found"] = violation.found;
      example["expected"] = violation.expected;
      example["rebuilt"] = violation.rebuilt;
      examples.emplace_back(std::move(example));
    }
  }
  return boost::json::serialize(document);
}

}  // namespace billd::commands
