// SPDX-License-Identifier: Apache-2.0
// What really passed over the bus of a cluster of the existing programs (tests/golden/README.md,
// cluster_trace.jsonl): our types decode all of it, its streams keep the rules that ours keep, our
// requester acknowledges what theirs acknowledged, and our responder, given the same elements at the same
// moments, sends the same bytes.
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/cluster/chain_messages.hpp"
#include "host/cluster/farm_messages.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/stream_requester.hpp"
#include "nlohmann/json.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using namespace furrow::cluster;

/// Of longer payloads the trace has the beginning.
constexpr std::size_t kWholeUpTo = 256;

struct Passed {
  std::string subject;
  std::string reply;
  std::size_t size = 0;
  Bytes payload;
  [[nodiscard]] bool is_whole() const { return size <= kWholeUpTo; }
};

std::vector<Passed> trace() {
  std::vector<Passed> messages;
  std::ifstream file(FURROW_SOURCE_DIR "/tests/golden/cluster_trace.jsonl");
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json message = nlohmann::json::parse(line);
    messages.push_back({message.at("subject").get<std::string>(),
                        message.at("reply").is_null() ? "" : message.at("reply").get<std::string>(),
                        message.at("size").get<std::size_t>(),
                        from_hex(message.at("payload").get<std::string>(), "payload")});
  }
  return messages;
}

/// Decodes a payload and encodes it again, wherever elements begin and end.
struct Recoded {
  Bytes bytes;
  std::vector<Bytes> elements;  ///< of a message of a stream
  StreamMessage stream;
};
using Recode = Recoded (*)(std::span<const std::uint8_t>);

template <class T>
Recoded recode(std::span<const std::uint8_t> payload) {
  return {encode_message(decode_message<T>(payload)), {}, {}};
}
template <class Element>
Recoded recode_stream(std::span<const std::uint8_t> payload) {
  Recoded result;
  result.stream = decode_stream_message<Element>(payload);
  MessageReader in(Element::kName, payload.subspan(result.stream.elements_offset));
  for (std::size_t i = 0; i < result.stream.n_elements; ++i) {
    result.elements.push_back(encode_message(decode_from<Element>(in)));
  }
  result.bytes =
      encode_stream_message(result.stream.index, result.elements, result.stream.ack_subject);
  return result;
}

struct Known {
  SubjectTemplate subject;
  Recode request;
  Recode answer;  ///< null: none is expected
};

template <class T>
Known known() {
  if constexpr (requires { typename T::Element; }) {
    return {T::kSubject, recode<T>, recode_stream<typename T::Element>};
  } else if constexpr (requires { typename T::Response; }) {
    return {T::kSubject, recode<T>, recode<typename T::Response>};
  } else {
    return {T::kSubject, recode<T>, nullptr};
  }
}

const std::vector<Known>& all_known() {
  static const std::vector<Known> all = {
      known<FarmerIdentifyRequest>(), known<FarmerIdentify>(),
      known<CacheIdentifyRequest>(),  known<CacheIdentify>(),
      known<CacheDetailsRequest>(),   known<FarmDetailsRequest>(),
      known<PlottedSectorsRequest>(), known<SuperSegmentHeadersRequest>(),
      known<FarmerAppInfoRequest>(),  known<SectorUpdateBroadcast>(),
      known<FreeInstanceRequest>(),   known<PlotSectorRequest>(),
      known<FindPiecesRequest>(),     known<PiecesRequest>(),
      known<ContentsRequest>(),       known<ReadPiecesRequest>(),
      known<WritePieceRequest>()};
  return all;
}

const Known* known_by(const std::string& subject) {
  for (const Known& known : all_known()) {
    if (known.subject.has_instance() ? known.subject.instance_in(subject).has_value()
                                     : known.subject.without_instance() == subject) {
      return &known;
    }
  }
  return nullptr;
}

/// What each message is, by its subject, or by the request that it answers.
class Reading {
 public:
  /// Null where the trace has something that we do not know.
  Recode recode_of(const Passed& message) {
    if (const Known* known = known_by(message.subject)) {
      if (!message.reply.empty()) {
        answers_[message.reply] = known->answer;
      }
      return known->request;
    }
    if (kStreamAcknowledgement.instance_in(message.subject)) {
      return recode<StreamAcknowledgement>;
    }
    const auto answer = answers_.find(message.subject);
    return answer == answers_.end() ? nullptr : answer->second;
  }

 private:
  std::map<std::string, Recode> answers_;
};

TEST(ClusterTrace, EveryMessageDecodesAndEncodesToTheSameBytes) {
  Reading reading;
  std::size_t whole = 0;
  for (const Passed& message : trace()) {
    const Recode recode = reading.recode_of(message);
    ASSERT_NE(recode, nullptr) << message.subject;
    if (message.is_whole()) {
      ++whole;
      EXPECT_EQ(recode(message.payload).bytes, message.payload) << message.subject;
    } else {
      EXPECT_THROW((void)recode(message.payload), MalformedMessage) << message.subject << " is cut";
    }
  }
  EXPECT_GT(whole, 150U);
}

TEST(ClusterTrace, RequestsOfStreamsAnswerToStreamResponseAndOthersToInboxes) {
  for (const Passed& message : trace()) {
    if (message.reply.empty()) {
      continue;
    }
    const Known* known = known_by(message.subject);
    ASSERT_NE(known, nullptr);
    EXPECT_NE(known->answer, nullptr) << message.subject;
    EXPECT_NE(kStreamResponse.instance_in(message.reply).has_value(),
              message.reply.starts_with("_INBOX."))
        << message.reply;
  }
}

/// A stream of the trace.
struct Stream {
  Recode recode = nullptr;
  struct Message {
    std::size_t place = 0;  ///< in the trace
    bool is_last = false;
    std::uint32_t index = 0;
    bool is_whole = false;
    Bytes payload;
  };
  std::vector<Message> messages = {};
  std::string ack_subject = {};
  std::vector<std::pair<std::size_t, std::uint32_t>> acks = {};  ///< place, index

  /// Its first messages, up to the first that is cut.
  [[nodiscard]] std::vector<Message> whole_beginning() const {
    std::vector<Message> result;
    for (const Message& message : messages) {
      if (!message.is_whole) {
        break;
      }
      result.push_back(message);
    }
    return result;
  }
};

std::map<std::string, Stream> streams() {
  std::map<std::string, Stream> result;
  std::map<std::string, std::vector<std::pair<std::size_t, std::uint32_t>>> acks;
  Reading reading;
  const std::vector<Passed> messages = trace();
  for (std::size_t place = 0; place < messages.size(); ++place) {
    const Passed& message = messages[place];
    const Recode recode = reading.recode_of(message);
    if (kStreamAcknowledgement.instance_in(message.subject)) {
      acks[message.subject].emplace_back(
          place, decode_message<StreamAcknowledgement>(message.payload).index);
    } else if (kStreamResponse.instance_in(message.subject)) {
      MessageReader in("stream", message.payload);
      Stream& stream = result[message.subject];
      stream.recode = recode;
      const bool is_last = in.variant(2) == 1;
      stream.messages.push_back({place, is_last, in.u32(), message.is_whole(), message.payload});
      if (message.is_whole() && !is_last) {
        stream.ack_subject = recode(message.payload).stream.ack_subject;
      }
    }
  }
  for (auto& [subject, stream] : result) {
    stream.acks = acks[stream.ack_subject];
  }
  return result;
}

TEST(ClusterTrace, StreamsCountFromZeroAndEndWithALast) {
  const auto all = streams();
  EXPECT_EQ(all.size(), 27U);
  for (const auto& [subject, stream] : all) {
    for (std::size_t i = 0; i < stream.messages.size(); ++i) {
      EXPECT_EQ(stream.messages[i].index, i) << subject;
      EXPECT_EQ(stream.messages[i].is_last, i + 1 == stream.messages.size()) << subject;
    }
  }
}

TEST(ClusterTrace, AMessageIsOutOnlyWhenTheOneTwoBeforeItIsAcknowledged) {
  std::size_t checked = 0;
  for (const auto& [subject, stream] : streams()) {
    if (stream.ack_subject.empty()) {
      continue;
    }
    for (std::size_t i = 0; i < stream.acks.size(); ++i) {
      EXPECT_EQ(stream.acks[i].second, i) << "in order, from 0";
    }
    // All but the last, whose acknowledgement may be dropped.
    EXPECT_GE(stream.acks.size() + 2, stream.messages.size()) << subject;
    EXPECT_LE(stream.acks.size() + 1, stream.messages.size()) << "a Last is not acknowledged";
    for (std::size_t i = 2; i < stream.messages.size(); ++i) {
      EXPECT_GT(stream.messages[i].place, stream.acks.at(i - 2).first) << subject;
      ++checked;
    }
  }
  EXPECT_GT(checked, 20U);
}

TEST(ClusterTrace, OurResponderSendsTheSameBytes) {
  std::size_t n_messages = 0;
  for (const auto& [subject, stream] : streams()) {
    const std::vector<Stream::Message> beginning = stream.whole_beginning();
    if (beginning.empty()) {
      continue;
    }
    MemoryServer server;
    const auto bus = server.connect();
    std::vector<Bytes> sent;
    server.add_peer(subject, [&](const BusMessage& message) {
      sent.push_back(message.payload);
      if (message.payload.at(0) == 0) {
        server.publish(stream.ack_subject, ack(message.payload.at(1)));
      }
    });
    // What was in one message was ready at once; the next came later.
    std::vector<ScriptedSource::Step> steps;
    for (const Stream::Message& message : beginning) {
      auto pause = 1000ms;
      for (Bytes& element : stream.recode(message.payload).elements) {
        steps.push_back({std::move(element), std::exchange(pause, 0ms)});
      }
    }
    ScriptedSource source(bus->clock(), std::move(steps));
    const Stream::Message& end = beginning.back();
    const bool ends_with_elements = end.is_last && !stream.recode(end.payload).elements.empty();
    source.end_after(ends_with_elements ? 0ms : 1000ms);
    respond_stream(*bus, subject, source,
                   {.draw_ulid =
                        [&] {
                          const auto drawn = kStreamAcknowledgement.instance_in(stream.ack_subject);
                          return drawn ? Ulid::parse(drawn->text()) : Ulid{};
                        }},
                   {});
    ASSERT_GE(sent.size(), beginning.size()) << subject;
    for (std::size_t i = 0; i < beginning.size(); ++i) {
      EXPECT_EQ(sent[i], beginning[i].payload) << subject << ", message " << i;
      ++n_messages;
    }
  }
  EXPECT_GT(n_messages, 30U);
}

TEST(ClusterTrace, OurRequesterAcknowledgesTheSameMessages) {
  std::size_t n_acks = 0;
  for (const auto& [subject, stream] : streams()) {
    const std::vector<Stream::Message> beginning = stream.whole_beginning();
    if (beginning.empty()) {
      continue;
    }
    MemoryServer server;
    const auto bus = server.connect();
    std::string reply;
    std::vector<std::uint32_t> acks;
    const auto send = [&](std::size_t i) {
      if (i < beginning.size()) {
        server.publish(reply, beginning[i].payload);
      }
    };
    server.add_peer("ab.asked", [&](const BusMessage& request) {
      reply = request.reply_subject;
      send(0);
      send(1);
    });
    server.add_peer("stream-response-ack.*", [&](const BusMessage& message) {
      EXPECT_EQ(message.subject, stream.ack_subject);
      EXPECT_EQ(message.reply_subject, "");
      acks.push_back(decode_message<StreamAcknowledgement>(message.payload).index);
      send(acks.back() + 2U);
    });
    StreamMessages messages(
        *bus, "ab.asked", {},
        [&](std::span<const std::uint8_t> payload) { return stream.recode(payload).stream; }, {});
    while (messages.next({})) {
    }
    EXPECT_EQ(messages.end()->is_complete(), beginning.back().is_last) << messages.end()->text;
    std::vector<std::uint32_t> theirs;
    for (const auto& [place, index] : stream.acks) {
      if (index < beginning.size()) {
        theirs.push_back(index);
      }
    }
    EXPECT_EQ(acks, theirs) << subject;
    n_acks += acks.size();
  }
  EXPECT_GT(n_acks, 15U);
}

}  // namespace
}  // namespace furrow::test
