<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\DeadLetter;
use BlockQueue\DeadLetters;
use BlockQueue\Failure;
use BlockQueue\Native\Ids;
use BlockQueue\Native\Json;
use BlockQueue\Page;
use FFI;

/**
 * Dead letters: deliveries out of attempts, kept for people.
 *
 * @internal
 */
trait DeadLettering
{
    /**
     * A page of the dead letters of a subscriber, oldest first.
     *
     * @return Page<DeadLetter>
     */
    public function deadLetters(string $topic, string $subscriber, int $limit = 100, ?string $after = null): Page
    {
        $page = $this->ask('bq_dead_letters_list', $topic, $subscriber, self::size($limit), $after);
        return Page::of(DeadLetter::from(...), $page);
    }

    /**
     * Gives dead letters all their attempts again.
     *
     * @param DeadLetters|null $which null is all of them
     * @param string|null $to publish them anew to this topic instead
     * @param float|null $rate so many per second
     * @param array<string, mixed>|null $filter only those whose headers match
     * @param bool $dryRun say only how many
     * @return int how many
     */
    public function redrive(
        string $topic,
        string $subscriber,
        ?DeadLetters $which = null,
        ?string $to = null,
        ?float $rate = null,
        ?array $filter = null,
        bool $dryRun = false,
    ): int {
        $which ??= DeadLetters::all();
        $options = Json::encode([
            ...$which->toArray(),
            'to' => $to,
            'rate' => $rate,
            'filter' => $filter,
            'dry_run' => $dryRun,
        ]);
        return $this->ask('bq_dead_letters_redrive', $topic, $subscriber, $options)['count'];
    }

    /**
     * Deletes dead letters. What is thrown away is named.
     *
     * @param array<string, mixed>|null $filter only those whose headers match
     * @param bool $dryRun say only how many
     * @return int how many
     */
    public function purgeDeadLetters(
        string $topic,
        string $subscriber,
        DeadLetters $which,
        ?array $filter = null,
        bool $dryRun = false,
    ): int {
        $options = Json::encode([...$which->toArray(), 'filter' => $filter, 'dry_run' => $dryRun]);
        return $this->ask('bq_dead_letters_purge', $topic, $subscriber, $options)['count'];
    }

    /**
     * A page of what went wrong with a message for a subscriber.
     *
     * @return Page<Failure>
     */
    public function failures(
        string $topic,
        string $subscriber,
        string $messageId,
        int $limit = 100,
        ?string $after = null,
    ): Page {
        $id = Ids::parse($messageId);
        $page = $this->ask('bq_failures_list', $topic, $subscriber, FFI::addr($id), self::size($limit), $after);
        return Page::of(Failure::from(...), $page);
    }
}
