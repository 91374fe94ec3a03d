<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Delivery;
use BlockQueue\Native\Arena;
use BlockQueue\Native\Deliveries;
use BlockQueue\Native\Time;
use BlockQueue\Native\Waiting;
use FFI;

/**
 * Claiming: lease deliveries to this consumer.
 *
 * @internal
 */
trait Claiming
{
    /**
     * Leases deliveries of one subscriber to the caller; none is no error.
     *
     * @param int|null $limit at most so many, up to 1,000; default as the subscriber says, which is 10 if nobody said
     * @param float $wait how long to wait when there is nothing to claim; the transaction that publishes wakes it.
     *     Signals of this process are handled meanwhile
     * @param float|null $lease how long they are leased; default as the subscriber says, which is 30 if nobody said
     * @return list<Delivery>
     */
    public function claim(
        string $topic,
        string $subscriber,
        ?int $limit = null,
        float $wait = 0.0,
        ?float $lease = null,
    ): array {
        if ($wait !== 0.0) {
            return $this->claimed($this->startClaim([[$topic, $subscriber]], $limit, $wait, $lease), $wait);
        }
        $options = $this->claimOptions($limit, $wait, $lease);
        $deliveries = $this->ffi->new('bq_deliveries *');
        $this->check($this->ffi->bq_queue_claim(
            $this->handle,
            $topic,
            strlen($topic),
            $subscriber,
            strlen($subscriber),
            FFI::addr($options),
            null,
            FFI::addr($deliveries),
            $this->error,
        ));
        return $this->take($deliveries);
    }

    /**
     * As claim(), from the first of these subscribers that has any. They are looked at in the order given, so an earlier
     * one may starve a later one.
     *
     * @param iterable<array{string, string}> $sources topics and their subscribers
     * @return list<Delivery>
     */
    public function claimAny(iterable $sources, ?int $limit = null, float $wait = 0.0, ?float $lease = null): array
    {
        $list = [];
        foreach ($sources as $source) {
            $list[] = $source;
        }
        return $this->claimed($this->startClaim($list, $limit, $wait, $lease), $wait);
    }

    /**
     * Deliveries one after another, for as long as the caller goes on.
     *
     * Each is settled by whoever gets it. What was claimed and not handed out yet when the loop ends is put back at once.
     *
     * @param int|null $limit how many are claimed at a time
     * @param float|null $timeout end when nothing came for so long; null goes on for ever
     * @return \Generator<int, Delivery, mixed, void>
     */
    public function consume(
        string $topic,
        string $subscriber,
        ?int $limit = 1,
        ?float $timeout = null,
        ?float $lease = null,
    ): \Generator {
        $waiting = [];
        try {
            while (true) {
                $waiting = $this->claim($topic, $subscriber, $limit, min($timeout ?? 60.0, 3600.0), $lease);
                if ($waiting === [] && $timeout !== null) {
                    return;
                }
                while (($delivery = array_shift($waiting)) !== null) {
                    yield $delivery;
                }
            }
        } finally {
            if ($waiting !== []) {
                $this->deferMany($waiting);
            }
        }
    }

    /**
     * A claim that goes on while the program does other things.
     *
     * @internal
     * @param list<array{string, string}> $sources
     */
    public function startClaim(array $sources, ?int $limit, float $wait, ?float $lease): Waiting
    {
        return new Waiting($this->handle, function (
            FFI\CData $completions,
            FFI\CData $error
        ) use (
            $sources,
            $limit,
            $wait,
            $lease,
        ): int {
            $arena = new Arena($this->ffi);
            $array = $arena->make('bq_source[' . max(count($sources), 1) . ']');
            foreach ($sources as $at => [$topic, $subscriber]) {
                $arena->fill($array[$at]->topic, $topic);
                $arena->fill($array[$at]->subscriber, $subscriber);
            }
            $options = FFI::addr($this->claimOptions($limit, $wait, $lease));
            return $this->ffi->bq_queue_claim_any_start(
                $this->handle,
                $array,
                count($sources),
                $options,
                $completions,
                0,
                $error,
            );
        });
    }

    /**
     * What a claim got that was started.
     *
     * @internal
     * @return list<Delivery>
     */
    public function claimed(Waiting $claim, float $wait): array
    {
        // The library ends the wait; a little longer, for what it got at the last moment.
        while (!$claim->wait($wait + 1.0)) {
            continue;
        }
        $deliveries = $claim->takeDeliveries();
        return $deliveries === null ? [] : $this->take($deliveries);
    }

    private function claimOptions(?int $limit, float $wait, ?float $lease): FFI\CData
    {
        $options = $this->ffi->new('bq_claim_options');
        $options->size = FFI::sizeof($options);
        $options->limit = $limit === null ? 0 : self::size($limit);
        $options->wait_ms = Time::ms($wait);
        $options->lease_ms = Time::msOrDefault($lease);
        return $options;
    }

    /** @return list<Delivery> */
    private function take(FFI\CData $deliveries): array
    {
        try {
            $items = $this->ffi->new('bq_delivery *');
            $count = $this->ffi->new('size_t');
            $this->check($this->ffi->bq_deliveries_items(
                $deliveries,
                FFI::addr($items),
                FFI::addr($count),
                $this->error,
            ));
            return Deliveries::take($this, $items, $count->cdata);
        } finally {
            $this->ffi->bq_deliveries_free($deliveries);
        }
    }
}
