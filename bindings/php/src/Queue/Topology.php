<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Native\Json;
use BlockQueue\Native\Time;
use BlockQueue\NewSubscriber;
use BlockQueue\Page;
use BlockQueue\Place;
use BlockQueue\Sought;
use BlockQueue\Start;
use BlockQueue\Subscriber;
use BlockQueue\SubscriberOptions;
use BlockQueue\Topic;
use BlockQueue\TopicOptions;

/**
 * Topics and subscribers: create, look at, change, stop, move, delete.
 *
 * @internal
 */
trait Topology
{
    /**
     * Creates a topic, perhaps together with its first subscribers.
     *
     * @param iterable<NewSubscriber|string> $subscribers
     */
    public function createTopic(
        string $topic,
        iterable $subscribers = [],
        TopicOptions $options = new TopicOptions(),
    ): Topic {
        $settings = ['options' => (object) $options->toArray(), 'subscribers' => NewSubscriber::list($subscribers)];
        return Topic::from($this->ask('bq_topic_create', $topic, Json::encode($settings)));
    }

    public function topic(string $topic): Topic
    {
        return Topic::from($this->ask('bq_topic_get', $topic));
    }

    /**
     * A page of topics by name.
     *
     * @return Page<Topic>
     */
    public function topics(int $limit = 100, ?string $after = null): Page
    {
        return Page::of(Topic::from(...), $this->ask('bq_topic_list', self::size($limit), $after));
    }

    /** Changes the settings that are given. */
    public function updateTopic(string $topic, TopicOptions $options): Topic
    {
        return Topic::from($this->ask('bq_topic_update', $topic, Json::encode($options->toArray())));
    }

    /** Deletes a topic with its messages, subscribers and schedules. */
    public function deleteTopic(string $topic): void
    {
        $this->tell('bq_topic_delete', $topic);
    }

    /** Stops claims on all subscribers of a topic: they wait as on an empty one. */
    public function pauseTopic(string $topic): void
    {
        $this->tell('bq_topic_pause', $topic);
    }

    public function resumeTopic(string $topic): void
    {
        $this->tell('bq_topic_resume', $topic);
    }

    /**
     * Creates subscribers of a topic: all or none.
     *
     * @param iterable<NewSubscriber|string> $subscribers
     * @return list<Subscriber>
     */
    public function createSubscribers(string $topic, iterable $subscribers): array
    {
        $settings = Json::encodeList(NewSubscriber::list($subscribers));
        return array_map(Subscriber::from(...), array_values($this->ask('bq_subscriber_create', $topic, $settings)));
    }

    /** Creates one subscriber. `$start` is the message that it begins with; null is the next one. */
    public function createSubscriber(
        string $topic,
        string $subscriber,
        SubscriberOptions $options = new SubscriberOptions(),
        Start|\DateTimeInterface|null $start = null,
    ): Subscriber {
        return $this->createSubscribers($topic, [new NewSubscriber($subscriber, $options, $start)])[0];
    }

    public function subscriber(string $topic, string $subscriber): Subscriber
    {
        return Subscriber::from($this->ask('bq_subscriber_get', $topic, $subscriber));
    }

    /**
     * A page of the subscribers of a topic by name.
     *
     * @return Page<Subscriber>
     */
    public function subscribers(string $topic, int $limit = 100, ?string $after = null): Page
    {
        return Page::of(Subscriber::from(...), $this->ask('bq_subscriber_list', $topic, self::size($limit), $after));
    }

    /** Changes the settings that are given. */
    public function updateSubscriber(string $topic, string $subscriber, SubscriberOptions $options): Subscriber
    {
        $settings = Json::encode($options->toArray());
        return Subscriber::from($this->ask('bq_subscriber_update', $topic, $subscriber, $settings));
    }

    /** Deletes a subscriber with its deliveries: their receipts are lost. */
    public function deleteSubscriber(string $topic, string $subscriber): void
    {
        $this->tell('bq_subscriber_delete', $topic, $subscriber);
    }

    /** Stops claims on the subscriber: they wait as on an empty topic. */
    public function pauseSubscriber(string $topic, string $subscriber): void
    {
        $this->tell('bq_subscriber_pause', $topic, $subscriber);
    }

    public function resumeSubscriber(string $topic, string $subscriber): void
    {
        $this->tell('bq_subscriber_resume', $topic, $subscriber);
    }

    /**
     * Moves a subscriber to another place of its topic. Its leased and retrying deliveries end.
     *
     * @param bool $dryRun say only what it would do
     */
    public function seek(string $topic, string $subscriber, Place|\DateTimeInterface $to, bool $dryRun = false): Sought
    {
        $place = $to instanceof Place ? $to->toArray() : ['at' => Time::instantMs($to)];
        $settings = Json::encode(['to' => $place, 'dry_run' => $dryRun]);
        return Sought::from($this->ask('bq_subscriber_seek', $topic, $subscriber, $settings));
    }
}
