// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/subjects.hpp"

#include <algorithm>

#include "host/base/printable.hpp"

namespace furrow::cluster {
namespace {

/// Of a token: no wildcard, no white space, no control character, no dot.
bool is_token_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7F && c != '.' && c != '*' && c != '>';
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kLongestSubject &&
         std::all_of(text.begin(), text.end(), is_token_character);
}

std::string with_prefix(Network network, std::string_view text) {
  return std::string(traits_of(network).subject_prefix) + "." + std::string(text);
}

}  // namespace

bool is_publish_subject(std::string_view subject) {
  if (subject.size() > kLongestSubject) {
    return false;
  }
  while (true) {
    const std::size_t dot = subject.find('.');
    if (!is_token(subject.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    subject.remove_prefix(dot + 1);
  }
}

SubjectToken::SubjectToken(std::string_view text, std::string_view what) : text_(text) {
  if (!is_token(text)) {
    const std::string expected =
        "1 to " + std::to_string(kLongestSubject) + " characters without dot, space, '*' and '>'";
    const std::string actual = excerpt(text);
    throw InvalidArgument(std::string(what) + ": expected " + expected + ", actual " + actual,
                          {.expected = expected, .actual = actual});
  }
}

SubjectToken global_cache_group() {
  return {"_", "global cache group"};
}

std::string SubjectTemplate::whole(Network network) const {
  return is_of_network ? with_prefix(network, text) : std::string(text);
}

std::string SubjectTemplate::without_instance(Network network) const {
  return whole(network);
}

std::string SubjectTemplate::with(const SubjectToken& instance, Network network) const {
  std::string subject = whole(network);
  return subject.replace(subject.find('*'), 1, instance.text());
}

std::optional<SubjectToken> SubjectTemplate::instance_in(std::string_view subject,
                                                         Network network) const {
  const std::string mine = whole(network);
  const std::size_t star = mine.find('*');
  const std::string_view before = std::string_view(mine).substr(0, star);
  const std::string_view after = std::string_view(mine).substr(star + 1);
  if (star == std::string::npos || subject.size() < mine.size() || !subject.starts_with(before) ||
      !subject.ends_with(after)) {
    return std::nullopt;
  }
  subject.remove_prefix(before.size());
  subject.remove_suffix(after.size());
  if (!is_token(subject)) {
    return std::nullopt;
  }
  return SubjectToken(subject, "instance");
}

std::string SubjectTemplate::queue_group(const std::optional<SubjectToken>& instance,
                                         Network network) const {
  switch (sharing) {
    case Sharing::kEverybody:
      return {};
    case Sharing::kGroup:
      return with_prefix(network, group);
    case Sharing::kInstance:
      break;
  }
  return instance.value().text();
}

}  // namespace furrow::cluster
