import BlockQueue

let queue = try Queue.open("orders.db")
try await queue.createTopic("orders", subscribers: ["email"])

// Durable when this returns. Every subscriber gets it.
try await queue.publishBatch("orders", [Message("order 1"), Message("order 2")])

for try await delivery in queue.deliveries("orders", "email") {
    print("mail for \(delivery.text)")
    try await delivery.ack()
    if delivery.text == "order 2" { break }
}
try await queue.shutdown()
