// Topics and subscribers: create, look at, change, stop, move, delete.

internal import BlockQueueNative

extension Queue {
    /// Creates a topic, perhaps with subscribers, in one transaction.
    @discardableResult
    public func createTopic(
        _ topic: String,
        settings: TopicSettings = TopicSettings(),
        subscribers: [NewSubscriber]
    ) async throws -> Topic {
        let new = subscribers.map(\.native)
        return Topic(try await native {
            try await handle.createTopic(topic: topic, settings: settings.native, subscribers: new)
        })
    }

    /// Creates a topic with subscribers that have default settings.
    @discardableResult
    public func createTopic(
        _ topic: String,
        settings: TopicSettings = TopicSettings(),
        subscribers: [String] = []
    ) async throws -> Topic {
        try await createTopic(topic, settings: settings, subscribers: subscribers.map { NewSubscriber(name: $0) })
    }

    /// A topic by name.
    public func topic(_ topic: String) async throws -> Topic {
        Topic(try await native { try await handle.topic(topic: topic) })
    }

    /// A page of the topics, by name.
    public func topics(limit: Int? = nil, after: String? = nil) async throws -> Page<Topic> {
        let found = try await native { try await handle.topics(page: page(limit, after)) }
        return Page(items: found.items.map { Topic($0) }, next: found.next)
    }

    /// Changes the settings that are given.
    @discardableResult
    public func updateTopic(_ topic: String, settings: TopicSettings) async throws -> Topic {
        Topic(try await native { try await handle.updateTopic(topic: topic, settings: settings.native) })
    }

    /// Deletes a topic with its subscribers and messages. The name is free at once; receipts are lost.
    public func deleteTopic(_ topic: String) async throws {
        try await native { try await handle.deleteTopic(topic: topic) }
    }

    /// Stops claims on every subscriber of the topic: they wait as on an empty topic. Publishing goes on.
    public func pauseTopic(_ topic: String) async throws {
        try await native { try await handle.pauseTopic(topic: topic) }
    }

    /// Lets claims go on.
    public func resumeTopic(_ topic: String) async throws {
        try await native { try await handle.resumeTopic(topic: topic) }
    }

    /// Creates a subscriber of a topic.
    @discardableResult
    public func createSubscriber(
        _ topic: String,
        _ subscriber: String,
        settings: SubscriberSettings? = nil,
        start: StartFrom? = nil
    ) async throws -> Subscriber {
        let new = NewSubscriber(name: subscriber, settings: settings, start: start)
        guard let created = try await createSubscribers(topic, [new]).first else {
            throw BlockQueueError(code: .internal, number: 23, detail: "no subscriber was answered")
        }
        return created
    }

    /// Creates up to 1,000 subscribers of a topic: all or none.
    @discardableResult
    public func createSubscribers(_ topic: String, _ subscribers: [NewSubscriber]) async throws -> [Subscriber] {
        let new = subscribers.map(\.native)
        return try await native { try await handle.createSubscribers(topic: topic, subscribers: new) }
            .map { Subscriber($0) }
    }

    /// A subscriber by name.
    public func subscriber(_ topic: String, _ subscriber: String) async throws -> Subscriber {
        Subscriber(try await native { try await handle.subscriber(topic: topic, subscriber: subscriber) })
    }

    /// A page of the subscribers of a topic, by name.
    public func subscribers(
        _ topic: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<Subscriber> {
        let found = try await native { try await handle.subscribers(topic: topic, page: page(limit, after)) }
        return Page(items: found.items.map { Subscriber($0) }, next: found.next)
    }

    /// Changes the settings that are given.
    @discardableResult
    public func updateSubscriber(
        _ topic: String, _ subscriber: String, settings: SubscriberSettings
    ) async throws -> Subscriber {
        Subscriber(try await native {
            try await handle.updateSubscriber(topic: topic, subscriber: subscriber, settings: settings.native)
        })
    }

    /// Deletes a subscriber with its deliveries. The name is free at once; receipts are lost.
    public func deleteSubscriber(_ topic: String, _ subscriber: String) async throws {
        try await native { try await handle.deleteSubscriber(topic: topic, subscriber: subscriber) }
    }

    /// Stops claims on the subscriber: they wait as on an empty topic.
    public func pauseSubscriber(_ topic: String, _ subscriber: String) async throws {
        try await native { try await handle.pauseSubscriber(topic: topic, subscriber: subscriber) }
    }

    /// Lets claims go on.
    public func resumeSubscriber(_ topic: String, _ subscriber: String) async throws {
        try await native { try await handle.resumeSubscriber(topic: topic, subscriber: subscriber) }
    }

    /// Moves a subscriber to another place of its topic. Its leased and retrying deliveries end and their receipts are
    /// lost. A dry run only tells what it would do.
    @discardableResult
    public func seek(
        _ topic: String, _ subscriber: String, to place: SeekTo, dryRun: Bool = false
    ) async throws -> Sought {
        Sought(try await native {
            try await handle.seek(topic: topic, subscriber: subscriber, to: place.native, dryRun: dryRun)
        })
    }
}
