// SPDX-License-Identifier: Apache-2.0
// Subjects, their instances and their queue groups (docs/spec/07-cluster-protocol.md, section 4;
// docs/spec/09-autonomys.md, section 13). Those of a network, and its groups, begin with its prefix
// (core/network.hpp); a template does not have it, and whoever uses one says which network.
//
// A template has at most one `*`. Whoever publishes puts an instance there. Whoever subscribes does so
// too, or subscribes to the template as it is: the `*` is the wildcard of NATS for one token then.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "furrow/core/network.hpp"
#include "furrow/errors.hpp"

namespace furrow::cluster {

/// Longest subject that is taken from a peer. The protocol's own are below 100 bytes; servers take 4096
/// bytes for a whole control line.
inline constexpr std::size_t kLongestSubject = 1024;

/// Whether one can publish there: tokens that are not empty, with dots between, without wildcards,
/// without bytes that end a word or a line of the protocol of NATS.
[[nodiscard]] bool is_publish_subject(std::string_view subject);

/// A part of a subject between dots that is no wildcard: the text of an identifier, the name of a
/// cache group.
class SubjectToken {
 public:
  /// Throws InvalidArgument that names `what`.
  SubjectToken(std::string_view text, std::string_view what);
  [[nodiscard]] const std::string& text() const { return text_; }
  bool operator==(const SubjectToken&) const = default;

 private:
  std::string text_;
};

/// The cache group that every controller answers for, whatever its own.
[[nodiscard]] SubjectToken global_cache_group();

/// Who of several subscribers gets a message.
enum class Sharing {
  kEverybody,  ///< all of them
  kGroup,      ///< one of the group of that name
  kInstance,   ///< one of the group that is called as the instance
};

/// A subject of the protocol. A literal type, so that all of them are constants.
struct SubjectTemplate {
  std::string_view text;
  Sharing sharing = Sharing::kEverybody;
  std::string_view group = {};  ///< of kGroup, without prefix
  bool is_of_network = true;    ///< has the prefix of one
  bool operator==(const SubjectTemplate&) const = default;

  [[nodiscard]] constexpr bool has_instance() const {
    return text.find('*') != std::string_view::npos;
  }
  /// Pre: it has no `*`.
  [[nodiscard]] std::string without_instance(Network network = Network::kAbundance) const;
  /// With the token in place of the `*`. Pre: it has one.
  [[nodiscard]] std::string with(const SubjectToken& instance,
                                 Network network = Network::kAbundance) const;
  /// The token in place of the `*`; none when `subject` is no such subject.
  [[nodiscard]] std::optional<SubjectToken> instance_in(
      std::string_view subject, Network network = Network::kAbundance) const;
  /// Empty: none. `instance` is used by kInstance alone.
  [[nodiscard]] std::string queue_group(const std::optional<SubjectToken>& instance = {},
                                        Network network = Network::kAbundance) const;

 private:
  [[nodiscard]] std::string whole(Network network) const;
};

/// What all plotters with free capacity, and all controllers, share.
inline constexpr std::string_view kPlotterGroup = "plotter";
inline constexpr std::string_view kControllerGroup = "controller";

/// Where the answers of one stream arrive (section 6.1): `stream-response.<ULID>`.
inline constexpr SubjectTemplate kStreamResponse{.text = "stream-response.*",
                                                 .is_of_network = false};
/// Where they are acknowledged.
inline constexpr SubjectTemplate kStreamAcknowledgement{.text = "stream-response-ack.*",
                                                        .is_of_network = false};
/// Where the answer to one request arrives. No more than a custom of NATS clients, but what accounts
/// commonly allow their users to subscribe to.
inline constexpr SubjectTemplate kRequestInbox{.text = "_INBOX.*", .is_of_network = false};

}  // namespace furrow::cluster
