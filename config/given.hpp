// A value as somebody gave it, and what a setting makes of it. Internal to settings.cpp.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/choices.hpp"
#include "config/setting_table.hpp"

namespace billd {

using std::chrono::milliseconds;

/// Where a value was given. Places in the file come before all others, in the order of its lines.
struct Place {
  std::string text;
  std::uint32_t line = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t column = 0;
};

/// What no setting can hold; `what` says so in words.
struct Unusable {
  std::string_view what;
};

/// A value as it was given, before its setting has a say in what it must be.
struct Given {
  std::variant<bool, std::int64_t, std::string, std::vector<std::string>, Unusable> value;
  Place place;
  /// It comes from the environment or the command line, where everything is text: 16 and true need no other form.
  bool untyped = false;
};

inline Failure wrong(std::string detail) { return Failure{Errc::bad_configuration, std::move(detail)}; }

inline std::string in_words(const Given& given) {
  struct Words {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return "\"" + value + "\""; }
    std::string operator()(const std::vector<std::string>&) const { return "a list"; }
    std::string operator()(Unusable value) const { return std::string(value.what); }
  };
  return std::visit(Words{}, given.value);
}

inline const std::string* untyped_text(const Given& given) {
  return given.untyped ? std::get_if<std::string>(&given.value) : nullptr;
}

inline Result<std::string> text_of(const Given& given) {
  if (auto* text = std::get_if<std::string>(&given.value)) return *text;
  return wrong("must be text in quotes, not " + in_words(given));
}

inline std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t comma = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return parts;
}

// One convert() for each type of setting: the value, or the end of the sentence "the setting ...".

template <class Holder>
Result<bool> convert(const Given& given, const SettingOf<Holder>&, MemberOf<Holder, bool>) {
  if (auto* value = std::get_if<bool>(&given.value)) return *value;
  if (auto* text = untyped_text(given); text && (*text == "true" || *text == "false")) return *text == "true";
  return wrong("must be true or false, not " + in_words(given));
}

template <class Holder>
Result<std::uint32_t> convert(const Given& given, const SettingOf<Holder>& setting, MemberOf<Holder, std::uint32_t>) {
  std::int64_t number = 0;
  bool is_number = false;
  if (auto* value = std::get_if<std::int64_t>(&given.value)) {
    number = *value;
    is_number = true;
  } else if (auto* text = untyped_text(given)) {
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    is_number = error == std::errc{} && end == text->data() + text->size();
  }
  if (!is_number) return wrong("must be a whole number, not " + in_words(given));
  if (number < setting.least || number > setting.greatest) {
    return wrong("must be " + range_text(setting) + ", not " + std::to_string(number));
  }
  return static_cast<std::uint32_t>(number);
}

template <class Holder>
Result<std::string> convert(const Given& given, const SettingOf<Holder>&, MemberOf<Holder, std::string>) {
  return text_of(given);
}

template <class Holder>
Result<Secret> convert(const Given& given, const SettingOf<Holder>&, MemberOf<Holder, Secret>) {
  auto text = text_of(given);
  if (!text) return wrong("must be text in quotes");  // without the value: it is a secret all the same
  return Secret(*text);
}

template <class Holder>
Result<milliseconds> checked_duration(std::string_view text, const SettingOf<Holder>& setting) {
  auto duration = parse_duration(text);
  if (!duration) return duration;
  if (duration->count() < setting.least || duration->count() > setting.greatest) {
    return wrong("must be " + range_text(setting) + ", not " + to_text(*duration));
  }
  return duration;
}

template <class Holder>
Result<milliseconds> convert(const Given& given, const SettingOf<Holder>& setting, MemberOf<Holder, milliseconds>) {
  if (auto* number = std::get_if<std::int64_t>(&given.value)) return checked_duration(std::to_string(*number), setting);
  auto text = text_of(given);
  if (!text) return text.error();
  return checked_duration(*text, setting);
}

template <class Holder>
Result<std::vector<milliseconds>> convert(const Given& given, const SettingOf<Holder>& setting,
                                          MemberOf<Holder, std::vector<milliseconds>>) {
  std::vector<std::string> texts;
  if (auto* list = std::get_if<std::vector<std::string>>(&given.value)) {
    texts = *list;
  } else if (auto* text = untyped_text(given)) {
    texts = split_at_commas(*text);
  } else {
    return wrong("must be a list such as [\"3d\", \"5d\"], not " + in_words(given));
  }
  if (texts.size() > durations_max) {
    return wrong("must be " + range_text(setting) + ", not a list of " + std::to_string(texts.size()));
  }
  std::vector<milliseconds> durations;
  for (const std::string& text : texts) {
    auto duration = checked_duration(text, setting);
    if (!duration) return duration.error();
    durations.push_back(*duration);
  }
  return durations;
}

template <class Holder>
Result<std::vector<std::string>> convert(const Given& given, const SettingOf<Holder>&,
                                         MemberOf<Holder, std::vector<std::string>>) {
  if (auto* list = std::get_if<std::vector<std::string>>(&given.value)) return *list;
  auto* text = untyped_text(given);
  if (text == nullptr) return wrong("must be a list such as [\"one\", \"two\"], not " + in_words(given));
  return split_at_commas(*text);
}

template <class Holder>
Result<std::vector<TestFault>> convert(const Given& given, const SettingOf<Holder>& setting,
                                       MemberOf<Holder, std::vector<TestFault>>) {
  auto* list = std::get_if<std::vector<std::string>>(&given.value);
  auto* text = untyped_text(given);
  if (list == nullptr && text == nullptr)
    return wrong("must be a list such as [\"none\", \"lost\"], not " + in_words(given));
  std::vector<TestFault> faults;
  for (const std::string& name : list != nullptr ? *list : split_at_commas(*text)) {
    auto fault = std::ranges::find(choices<TestFault>, name, [](TestFault each) { return name_of(each); });
    if (fault == choices<TestFault>.end()) return wrong("must be " + range_text(setting) + ", not \"" + name + "\"");
    faults.push_back(*fault);
  }
  return faults;
}

template <class Holder>
Result<ListenAddress> convert(const Given& given, const SettingOf<Holder>&, MemberOf<Holder, ListenAddress>) {
  auto text = text_of(given);
  if (!text) return text.error();
  return parse_listen_address(*text);
}

template <class Holder>
Result<std::optional<ListenAddress>> convert(const Given& given, const SettingOf<Holder>&,
                                             MemberOf<Holder, std::optional<ListenAddress>>) {
  auto text = text_of(given);
  if (!text) return text.error();
  if (text->empty()) return std::optional<ListenAddress>();
  auto address = parse_listen_address(*text);
  if (!address) return address.error();
  return std::optional(*address);
}

template <class Holder>
Result<RedisAddress> convert(const Given& given, const SettingOf<Holder>&, MemberOf<Holder, RedisAddress>) {
  auto text = text_of(given);
  if (!text) return text.error();
  return parse_redis_address(*text);
}

template <class Holder, class Choice>
  requires(!choices<Choice>.empty())
Result<Choice> convert(const Given& given, const SettingOf<Holder>& setting, MemberOf<Holder, Choice>) {
  auto* text = std::get_if<std::string>(&given.value);
  auto chosen = std::ranges::find_if(choices<Choice>, [&](Choice c) { return text && name_of(c) == *text; });
  if (chosen == choices<Choice>.end()) return wrong("must be " + range_text(setting) + ", not " + in_words(given));
  return *chosen;
}

}  // namespace billd
