// Schedules: messages that are published again and again.

internal import BlockQueueNative

extension Queue {
    /// Creates a schedule, which publishes its message to the topic at each occurrence.
    @discardableResult
    public func createSchedule(
        _ topic: String, _ schedule: String, _ options: ScheduleOptions
    ) async throws -> Schedule {
        Schedule(try await native {
            try await handle.createSchedule(topic: topic, schedule: schedule, options: options.native)
        })
    }

    /// A schedule by name.
    public func schedule(_ topic: String, _ schedule: String) async throws -> Schedule {
        Schedule(try await native { try await handle.schedule(topic: topic, schedule: schedule) })
    }

    /// A page of the schedules of a topic, by name.
    public func schedules(
        _ topic: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<Schedule> {
        let found = try await native { try await handle.schedules(topic: topic, page: page(limit, after)) }
        return Page(items: found.items.map { Schedule($0) }, next: found.next)
    }

    /// Changes the settings of a schedule as a whole, if nobody has changed them since that version.
    @discardableResult
    public func updateSchedule(
        _ topic: String, _ schedule: String, version: Int, _ options: ScheduleOptions
    ) async throws -> Schedule {
        Schedule(try await native {
            try await handle.updateSchedule(
                topic: topic, schedule: schedule, version: Int64(version), options: options.native
            )
        })
    }

    /// Deletes a schedule with its history. The messages that it published stay.
    public func deleteSchedule(_ topic: String, _ schedule: String) async throws {
        try await native { try await handle.deleteSchedule(topic: topic, schedule: schedule) }
    }

    /// Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed.
    public func pauseSchedule(_ topic: String, _ schedule: String) async throws {
        try await native { try await handle.pauseSchedule(topic: topic, schedule: schedule) }
    }

    /// Lets a schedule go on, with the first occurrence after now.
    public func resumeSchedule(_ topic: String, _ schedule: String) async throws {
        try await native { try await handle.resumeSchedule(topic: topic, schedule: schedule) }
    }

    /// Publishes the message of a schedule now, also while it is paused.
    @discardableResult
    public func runScheduleNow(_ topic: String, _ schedule: String) async throws -> ScheduleRun {
        ScheduleRun(try await native { try await handle.runScheduleNow(topic: topic, schedule: schedule) })
    }

    /// A page of what became of the occurrences of a schedule, newest first.
    public func scheduleRuns(
        _ topic: String, _ schedule: String, limit: Int? = nil, after: String? = nil
    ) async throws -> Page<ScheduleRun> {
        let found = try await native {
            try await handle.scheduleRuns(topic: topic, schedule: schedule, page: page(limit, after))
        }
        return Page(items: found.items.map { ScheduleRun($0) }, next: found.next)
    }
}
