// Parameters: forms, queries and JSON give the same tree, and what is refused names the parameter.
#include "net/http/form.hpp"

#include <gtest/gtest.h>

#include "net/http/text.hpp"

namespace billd::http {
namespace {

// The tree in one line: a map as {a=..,b=..}, a list as [..,..], text in quotes.
std::string drawn(const Parameter& parameter) {
  if (parameter.is_text()) return "'" + parameter.text() + "'";
  std::string inside;
  for (const Parameter& child : parameter.children()) {
    if (!inside.empty()) inside += ",";
    if (parameter.is_map()) inside += child.name() + "=";
    inside += drawn(child);
  }
  return parameter.is_map() ? "{" + inside + "}" : "[" + inside + "]";
}

std::string drawn(const Result<Parameters>& parameters) {
  if (parameters) return drawn(*parameters);
  return parameters.error().parameter + ": " + parameters.error().detail;
}

std::string paths(const Parameter& parameter) {
  std::string all = parameter.is_text() ? parameter.path() + " " : "";
  for (const Parameter& child : parameter.children()) all += paths(child);
  return all;
}

TEST(Form, IsReadAsRackReadsIt) {
  struct Case {
    const char* text;
    const char* tree;
  };
  for (auto [text, tree] : std::initializer_list<Case>{
           {"", "{}"},
           {"a=1", "{a='1'}"},
           {"a=1&b=2", "{a='1',b='2'}"},
           {"&a=1&&b=2&", "{a='1',b='2'}"},
           {"a", "{a=''}"},
           {"a=", "{a=''}"},
           {"a=b=c", "{a='b=c'}"},
           {"a=x+y%20z%2B", "{a='x y z+'}"},
           {"name=J%C3%BCrgen", "{name='J\xc3\xbcrgen'}"},
           {"a[b]=1", "{a={b='1'}}"},
           {"a%5Bb%5D=1&a[c]=2", "{a={b='1',c='2'}}"},
           {"a[b][c][d][e]=1", "{a={b={c={d={e='1'}}}}}"},
           {"a[]=x&a[]=y", "{a=['x','y']}"},
           {"expand[]=customer", "{expand=['customer']}"},
           {"items[0][plan]=p&items[0][quantity]=2&items[1][plan]=q", "{items=[{plan='p',quantity='2'},{plan='q'}]}"},
           {"items[1][plan]=q&items[0][plan]=p", "{items=[{plan='p'},{plan='q'}]}"},
           {"items[10]=c&items[9]=b", "{items=['b','c']}"},
           {"items[][plan]=p&items[][quantity]=2&items[][plan]=q", "{items=[{plan='p',quantity='2'},{plan='q'}]}"},
           {"items[][tags][]=p&items[][tags][]=q", "{items=[{tags=['p','q']}]}"},
           {"metadata[key with spaces]=v", "{metadata={key with spaces='v'}}"},
           {"metadata[6735]=v&metadata[1]=w", "{metadata={6735='v',1='w'}}"},
           {"a[0]=x&a[b]=y", "{a={0='x',b='y'}}"},
           {"a[01]=x", "{a={01='x'}}"},
           {"7=x", "{7='x'}"},
       })
    EXPECT_EQ(drawn(parse_form(text)), tree) << text;
}

TEST(Form, RefusesWhatCannotBeMeantAndNamesIt) {
  struct Case {
    const char* text;
    const char* parameter;
    const char* detail;
  };
  for (auto [text, parameter, detail] : std::initializer_list<Case>{
           {"a=1&a[b]=2", "a", "contradict"},
           {"a[b]=2&a=1", "a", "contradict"},
           {"a[]=1&a[b]=2", "a", "contradict"},
           {"a[0]=1&a[]=2", "a", "contradict"},
           {"x[a]=1&x[a][b]=2", "x[a]", "contradict"},
           {"a=1&a=2", "a", "twice"},
           {"a[b]=1&a%5Bb%5D=2", "a[b]", "twice"},
           {"items[0][plan]=1&items[0][plan]=2", "items[0][plan]", "twice"},
           {"a[b=1", "a[b", "brackets"},
           {"a]b=1", "a]b", "brackets"},
           {"a[b]c=1", "a[b]c", "brackets"},
           {"a[[b]]=1", "a[[b]]", "brackets"},
           {"[a]=1", "[a]", "brackets"},
           {"=1", "", "brackets"},
           {"a[b][c][d][e][f]=1", "a[b][c][d][e][f]", "5 levels"},
           {"a[999999999]=1", "a[999999999]", "100 at most"},
           {"a[101]=1", "a[101]", "100 at most"},
           {"a[99999999999999999999999999]=1", "a[99999999999999999999999999]", "100 at most"},
           {"a=%zz", "a", "percent"},
           {"a=%4", "a", "percent"},
           {"a%=1", "a%", "percent"},
           {"a=%00", "a", "NUL"},
           {"a=%ff", "a", "UTF-8"},
           {"a=%c0%80", "a", "UTF-8"},
           {"a=%ed%a0%80", "a", "UTF-8"},
           {"%ff=1", "?", "UTF-8"},
       }) {
    Result<Parameters> parameters = parse_form(text);
    ASSERT_TRUE(parameters.has_error()) << text;
    EXPECT_EQ(parameters.error().code, Errc::invalid_parameter) << text;
    EXPECT_EQ(parameters.error().parameter, parameter) << text;
    EXPECT_NE(parameters.error().detail.find(detail), std::string::npos) << text << ": " << parameters.error().detail;
  }
}

TEST(Json, IsReadAsTheSameTree) {
  struct Case {
    const char* text;
    const char* tree;
  };
  for (auto [text, tree] : std::initializer_list<Case>{
           {"", "{}"},
           {" \r\n", "{}"},
           {"{}", "{}"},
           {R"({"a":"1","b":2})", "{a='1',b='2'}"},
           {R"({"a":true,"b":false,"c":null})", "{a='true',b='false',c=''}"},
           {R"({"a":-5,"b":18446744073709551615})", "{a='-5',b='18446744073709551615'}"},
           {R"({"a":1.50,"b":1e2,"c":-0.0})", "{a='1.50',b='1e2',c='-0.0'}"},
           {R"({"a":36893488147419103232})", "{a='36893488147419103232'}"},
           {R"({"a":"\u00fc\ud83d\ude00\n"})", "{a='\xc3\xbc\xf0\x9f\x98\x80\n'}"},
           {R"({"items":[{"plan":"p"},{"plan":"q"}]})", "{items=[{plan='p'},{plan='q'}]}"},
           {R"({"items":{"1":{"plan":"q"},"0":{"plan":"p"}}})", "{items=[{plan='p'},{plan='q'}]}"},
           {R"({"metadata":{"6735":"v"}})", "{metadata={6735='v'}}"},
           {R"({"a":[],"b":{}})", "{a=[],b={}}"},
           {R"({"a":[[1],[2,3]]})", "{a=[['1'],['2','3']]}"},
           {R"( {"a" : 1} )", "{a='1'}"},
       })
    EXPECT_EQ(drawn(parse_json(text)), tree) << text;
}

TEST(Json, RefusesWhatCannotBeMeantAndNamesIt) {
  struct Case {
    std::string text;
    const char* parameter;
    const char* detail;
  };
  for (const auto& [text, parameter, detail] : std::initializer_list<Case>{
           {R"({"a":1,"a":2})", "a", "twice"},
           {R"({"a":{"b":1,"b":1}})", "a[b]", "twice"},
           {R"({"a":1,"\u0061":2})", "a", "twice"},
           {R"([1])", "", "JSON object"},
           {R"("a")", "", "JSON object"},
           {R"(12)", "", "JSON object"},
           {R"({"a":{"b":{"c":{"d":{"e":{"f":1}}}}}})", "a[b][c][d][e][f]", "5 levels"},
           {R"({"a":"\u0000"})", "a", "NUL"},
           {R"({"a\u0000":1})", "a?", "NUL"},
           {"{\"a\":\"\xff\"}", "", "not valid JSON"},
           {R"({"a":"\ud800"})", "", "not valid JSON"},
           {R"({"a":1)", "", "not valid JSON"},
           {R"({"a":{"b":tru}})", "a", "not valid JSON"},
           {R"({"a":1}{"b":2})", "", "not valid JSON"},
           {R"({"a":1,})", "", "not valid JSON"},
           {R"({'a':1})", "", "not valid JSON"},
           {R"({"a":NaN})", "", "not valid JSON"},
           {R"({"a":{"101":1}})", "a[101]", "100 at most"},
           {std::string(100'000, '['), "", "JSON object"},
           {R"({"a":)" + std::string(100'000, '['), "a[0][0][0][0][0]", "5 levels"},
       }) {
    Result<Parameters> parameters = parse_json(text);
    ASSERT_TRUE(parameters.has_error()) << text;
    EXPECT_EQ(parameters.error().code, Errc::invalid_parameter) << text;
    EXPECT_EQ(parameters.error().parameter, parameter) << text.substr(0, 80);
    EXPECT_NE(parameters.error().detail.find(detail), std::string::npos) << text << ": " << parameters.error().detail;
  }
}

TEST(Parameters, AreLimitedInNumber) {
  std::string form;
  std::string json = "{";
  for (int i = 0; i < 200; ++i) {
    form += "k" + std::to_string(i) + "=1&";
    json += "\"k" + std::to_string(i) + "\":" + (i % 2 ? "[]" : "1") + ",";
  }
  json.pop_back();
  EXPECT_TRUE(parse_form(form).has_value());
  EXPECT_TRUE(parse_json(json + "}").has_value());
  EXPECT_TRUE(parse_form(form + "last=1").has_error());
  EXPECT_TRUE(parse_json(json + ",\"last\":1}").has_error());
  ParameterLimits limits;
  limits.count_max = 500;
  EXPECT_TRUE(parse_form(form + "last=1", limits).has_value());
}

TEST(Parameters, AreEqualHoweverTheyWereWritten) {
  Result<Parameters> form = parse_form("amount=12&paid=true&items[0][plan]=p&items[1][plan]=q&note=");
  Result<Parameters> json = parse_json(R"({"note":null,"items":[{"plan":"p"},{"plan":"q"}],"paid":true,"amount":12})");
  ASSERT_TRUE(form && json);
  EXPECT_EQ(*form, *json);
  EXPECT_EQ(json->find("amount")->written(), Parameter::Written::integer);
  EXPECT_EQ(json->find("paid")->written(), Parameter::Written::boolean);
  EXPECT_EQ(json->find("note")->written(), Parameter::Written::null);
  EXPECT_EQ(form->find("amount")->written(), Parameter::Written::text);
  EXPECT_NE(*form, *parse_form("amount=12"));
  EXPECT_NE(*parse_form("a=12"), *parse_form("a=13"));
}

TEST(Parameters, KnowTheirPaths) {
  EXPECT_EQ(paths(*parse_form("items[0][plan]=p&tags[]=x&tags[]=y&b=1")), "items[0][plan] tags[0] tags[1] b ");
  EXPECT_EQ(paths(*parse_json(R"({"items":[{"plan":"p"}],"a":{"b":{"c":1}}})")), "items[0][plan] a[b][c] ");
  EXPECT_EQ(parse_form("a=1")->find("b"), nullptr);
}

TEST(Body, IsReadByItsContentType) {
  EXPECT_EQ(drawn(parse_body("application/json; charset=utf-8", R"({"a":1})")), "{a='1'}");
  EXPECT_EQ(drawn(parse_body("Application/JSON", R"({"a":1})")), "{a='1'}");
  EXPECT_EQ(drawn(parse_body("application/x-www-form-urlencoded", "a=1")), "{a='1'}");
  EXPECT_EQ(drawn(parse_body("", "a=1")), "{a='1'}");
  EXPECT_EQ(drawn(parse_body("text/plain", "")), "{}");
  EXPECT_TRUE(parse_body("multipart/form-data; boundary=x", "--x").has_error());
}

TEST(Text, KnowsUtf8) {
  for (const char* good : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good));
  for (const char* bad : {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Text, EncodesAndDecodesPercents) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decoded(percent_encoded(all)), all);
  EXPECT_EQ(percent_encoded("a b/c~"), "a%20b%2Fc~");
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  EXPECT_EQ(percent_decoded("a+b", Plus::is_space), "a b");
  EXPECT_FALSE(percent_decoded("%"));
  EXPECT_FALSE(percent_decoded("%1"));
  EXPECT_FALSE(percent_decoded("%g1"));
}

}  // namespace
}  // namespace billd::http
