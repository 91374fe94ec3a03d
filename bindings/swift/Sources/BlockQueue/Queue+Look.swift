// Dead letters, schedules, and looking at what is there.

internal import BlockQueueNative

extension Queue {
    /// A page of the dead letters of a subscriber, oldest first.
    public func deadLetters(
        _ topic: String, _ subscriber: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<DeadLetter> {
        let found = try await native {
            try await handle.deadLetters(topic: topic, subscriber: subscriber, page: page(limit, after))
        }
        return Page(items: found.items.map { DeadLetter($0) }, next: found.next)
    }

    /// Gives dead letters all their attempts again; the answer is how many.
    @discardableResult
    public func redrive(_ topic: String, _ subscriber: String, _ options: Redrive = Redrive()) async throws -> Int {
        Int(try await native {
            try await handle.redrive(topic: topic, subscriber: subscriber, options: options.native)
        })
    }

    /// Deletes dead letters, or only counts them; the answer is how many.
    @discardableResult
    public func purgeDeadLetters(_ topic: String, _ subscriber: String, _ options: Purge) async throws -> Int {
        Int(try await native {
            try await handle.purgeDeadLetters(topic: topic, subscriber: subscriber, options: options.native)
        })
    }

    /// A page of what went wrong with a delivery so far, oldest first.
    public func failures(
        _ topic: String, _ subscriber: String, messageId: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<Failure> {
        let found = try await native {
            try await handle.failures(
                topic: topic, subscriber: subscriber, messageId: messageId, page: page(limit, after)
            )
        }
        return Page(items: found.items.map { Failure($0) }, next: found.next)
    }

    /// A topic and its subscribers in numbers.
    public func topicStats(_ topic: String) async throws -> TopicStats {
        TopicStats(try await native { try await handle.topicStats(topic: topic) })
    }

    /// A subscriber in numbers.
    public func subscriberStats(_ topic: String, _ subscriber: String) async throws -> SubscriberStats {
        SubscriberStats(try await native { try await handle.subscriberStats(topic: topic, subscriber: subscriber) })
    }

    /// Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB.
    public func peek(
        _ topic: String, _ subscriber: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<Peeked> {
        let found = try await native {
            try await handle.peek(topic: topic, subscriber: subscriber, page: page(limit, after))
        }
        return Page(items: found.items.map { Peeked($0) }, next: found.next)
    }

    /// A message by its id, with its state for every subscriber.
    public func message(_ topic: String, id: String) async throws -> MessageStatus {
        MessageStatus(try await native { try await handle.message(topic: topic, messageId: id) })
    }

    /// What the engine of this process has done, and the size of the file. Reads the size from the disk.
    public func engineStats() throws -> EngineStats {
        EngineStats(try nativeNow { try handle.engineStats() })
    }

    /// Examines the file: integrity, counters, sizes. Reads all of it; changes nothing.
    public func diagnose() async throws -> Diagnosis {
        Diagnosis(try await native { try await handle.diagnose() })
    }
}
