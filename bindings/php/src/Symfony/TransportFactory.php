<?php

declare(strict_types=1);

namespace BlockQueue\Symfony;

use BlockQueue\Queue;
use BlockQueue\SubscriberExistsException;
use BlockQueue\TopicExistsException;
use Symfony\Component\Messenger\Exception\InvalidArgumentException;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;
use Symfony\Component\Messenger\Transport\TransportFactoryInterface;
use Symfony\Component\Messenger\Transport\TransportInterface;

/**
 * Transports by address: `blockqueue:///var/lib/app/queue.db?topic=messages&subscriber=messenger`.
 *
 * Options of the address, or of the transport: `topic`, `subscriber`, `wait` (in seconds) and `auto_setup`, which creates
 * what is missing and is on by default.
 */
final class TransportFactory implements TransportFactoryInterface
{
    private const OPTIONS = ['topic' => 'messages', 'subscriber' => 'messenger', 'wait' => 0, 'auto_setup' => true];

    /** @param array<string, mixed> $options */
    public function createTransport(string $dsn, array $options, SerializerInterface $serializer): TransportInterface
    {
        // parse_url() does not know an address without a host.
        if (preg_match('~^blockqueue://(?<path>[^?]+)(?:\?(?<query>.*))?$~', $dsn, $parts) !== 1) {
            throw new InvalidArgumentException('the address must be blockqueue:// and the path of a file');
        }
        parse_str($parts['query'] ?? '', $query);
        unset($options['transport_name']);
        $unknown = array_diff_key($options + $query, self::OPTIONS);
        if ($unknown !== []) {
            throw new InvalidArgumentException('unknown options: ' . implode(', ', array_keys($unknown)));
        }
        $settings = $query + $options + self::OPTIONS;
        $queue = Queue::open(rawurldecode($parts['path']));
        if (filter_var($settings['auto_setup'], FILTER_VALIDATE_BOOL)) {
            self::setUp($queue, $settings['topic'], $settings['subscriber']);
        }
        return new Transport($queue, $serializer, $settings['topic'], $settings['subscriber'], (float) $settings['wait']);
    }

    /** @param array<string, mixed> $options */
    public function supports(string $dsn, array $options): bool
    {
        return str_starts_with($dsn, 'blockqueue://');
    }

    private static function setUp(Queue $queue, string $topic, string $subscriber): void
    {
        try {
            $queue->createTopic($topic, [$subscriber]);
        } catch (TopicExistsException) {
            try {
                $queue->createSubscriber($topic, $subscriber);
            } catch (SubscriberExistsException) {
                // All is there.
            }
        }
    }
}
