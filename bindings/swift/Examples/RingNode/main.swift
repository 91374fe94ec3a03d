// Hands messages from one topic to another, together with programs of other languages on the same file:
// tests/interop/README.md of the repository says how.

import BlockQueue
import Foundation

let words = CommandLine.arguments
guard words.count == 6, var left = Int(words[5]) else {
    FileHandle.standardError.write(Data("RingNode FILE TOPIC_IN SUBSCRIBER TOPIC_OUT COUNT\n".utf8))
    exit(2)
}
let (from, subscriber, to) = (words[2], words[3], words[4])
let queue = try Queue.open(words[1], options: OpenOptions(mustExist: true))
print("ready")
fflush(nil)
while left > 0 {
    for delivery in try await queue.claim(from, subscriber, limit: min(left, 10), wait: .seconds(60)) {
        try await queue.publish(to, Message(
            payload: delivery.payload, contentType: delivery.contentType, headers: delivery.headers,
            correlationId: delivery.correlationId, idempotencyKey: delivery.correlationId
        ))
        do {
            try await delivery.ack()
            left -= 1
        } catch let error as BlockQueueError where error.code == .leaseLost {
            // Somebody else hands it on.
        }
    }
}
try await queue.shutdown()
