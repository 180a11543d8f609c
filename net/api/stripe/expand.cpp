#include "net/api/stripe/expand.hpp"

#include <algorithm>
#include <set>
#include <span>

namespace billd::api::stripe {
namespace {

constexpr std::size_t levels_max = 4;

Failure cannot_expand(const std::string& path, std::string hint) {
  return {Errc::invalid_parameter, "This property cannot be expanded (" + path + ")." + std::move(hint), "expand"};
}

std::vector<std::string> take_apart(const std::string& path) {
  std::vector<std::string> segments(1);
  for (char character : path) {
    if (character == '.')
      segments.emplace_back();
    else
      segments.back() += character;
  }
  return segments;
}

/// A part of an object that is there already.
bool only_leads_on(Kind kind) {
  return kind == Kind::invoice_settings || kind == Kind::phase || kind == Kind::phase_item ||
         kind == Kind::pending_update;
}

Result<void> check_path(const std::string& path, const ExpandPath& segments, Shape shape) {
  if (segments.size() > levels_max)
    return Failure{Errc::invalid_parameter, "You cannot expand more than 4 levels of a property. Property: " + path,
                   "expand"};
  for (const std::string& segment : segments) {
    if (shape.kind == Kind::nothing && !shape.is_list) return {};  // it is null, whatever would be below it
    if (shape.is_list) {
      if (segment != "data") return cannot_expand(path, " You may want to try expanding 'data." + path + "' instead.");
      shape.is_list = false;
      continue;
    }
    const Link* link = find_link(shape.kind, segment);
    if (link == nullptr) return cannot_expand(path, "");
    shape = link->to;
  }
  if (only_leads_on(shape.kind)) return cannot_expand(path, "");
  return {};
}

/// An identifier in the answer that a path wants expanded.
struct Slot {
  Value* value;
  Kind kind;
};

void collect(Value& value, Shape shape, std::span<const std::string> path, std::vector<Slot>& slots) {
  if (value.is_text()) {
    if (shape.kind != Kind::nothing && !shape.is_list) slots.push_back({&value, shape.kind});
    return;
  }
  if (Array* array = value.array()) {
    for (Value& each : array->values()) collect(each, shape, path, slots);
    return;
  }
  Object* object = value.object();
  if (object == nullptr || path.empty()) return;
  Value* member = object->find(path.front());
  if (member == nullptr) return;
  if (shape.is_list) {
    if (member->array() != nullptr) collect(*member, {shape.kind, false}, path.subspan(1), slots);
  } else if (const Link* link = find_link(shape.kind, path.front())) {
    collect(*member, link->to, path.subspan(1), slots);
  }
}

/// The identifiers to be expanded now; those behind them follow when they are.
std::vector<Slot> open_slots(Object& answer, Shape shape, const std::vector<ExpandPath>& paths,
                             const std::set<const Value*>& given_up) {
  std::vector<Slot> slots;
  Value root(answer);
  for (const ExpandPath& path : paths) collect(root, shape, path, slots);
  std::erase_if(slots, [&](const Slot& slot) { return given_up.contains(slot.value); });
  return slots;
}

void fill(Presenter& presenter, std::span<const Slot> slots, std::set<const Value*>& given_up) {
  for (const Slot& slot : slots) {
    if (!slot.value->is_text()) continue;  // two paths led here
    Object* object = presenter.find(slot.kind, slot.value->text());
    if (object != nullptr)
      *slot.value = *object;
    else
      given_up.insert(slot.value);
  }
}

}  // namespace

Result<std::vector<ExpandPath>> read_expand(const http::Parameters& parameters, Shape answers) {
  std::vector<ExpandPath> paths;
  for (const std::string& path : Arguments(parameters).texts("expand")) {
    ExpandPath segments = take_apart(path);
    auto checked = check_path(path, segments, answers);
    if (!checked) return checked.error();
    paths.push_back(std::move(segments));
  }
  return paths;
}

void expand_known(Presenter& presenter, Object& answer, Shape shape, const std::vector<ExpandPath>& paths) {
  std::set<const Value*> given_up;
  for (;;) {
    const std::vector<Slot> slots = open_slots(answer, shape, paths, given_up);
    if (slots.empty()) return;
    fill(presenter, slots, given_up);
  }
}

awaitable<Result<void>> expand(Services& services, Mode mode, Known& known, Presenter& presenter, Object& answer,
                               Shape shape, const std::vector<ExpandPath>& paths) {
  std::set<const Value*> given_up;
  for (;;) {
    const std::vector<Slot> slots = open_slots(answer, shape, paths, given_up);
    if (slots.empty()) co_return Result<void>();
    std::vector<Named> wanted;
    for (const Slot& slot : slots) wanted.push_back({slot.kind, std::string(slot.value->text())});
    auto loaded = co_await load(services, mode, known, std::move(wanted));
    if (!loaded) co_return loaded;
    fill(presenter, slots, given_up);
  }
}

}  // namespace billd::api::stripe
