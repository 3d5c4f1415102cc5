//! What both brokers promise, one function a promise; then what only one of them can show.

mod embedded_only;
mod rabbit_only;
mod world;

use std::time::Duration;

use samenloop_adapters::broker::{
    BODY_BYTES_MAX, BatchLimits, BrokerError, Depth, HEADERS_BYTES_MAX, Message, Published, Queue,
    Settle,
};
use world::{
    PATIENCE, World, bodies, expect_none, message, next, party_queue, redelivered, settle, sort,
    take, unknown_queue,
};

use Queue::Declarations as QUEUE;

/// Runs each promise on both brokers, with the longest queue that it asks for.
macro_rules! promises {
    ($($length_max:expr => $promise:ident,)*) => {
        mod on_embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let mut world = super::World::embedded($length_max).await;
                super::$promise(&mut world).await;
                world.end().await;
            })*
        }
        mod on_rabbit {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let mut world = super::World::rabbit($length_max).await;
                super::$promise(&mut world).await;
                world.end().await;
            })*
        }
    };
}

promises! {
    None => confirmed_messages_survive_a_restart,
    None => messages_come_in_the_order_of_publication,
    None => an_acknowledged_message_is_gone,
    None => each_delivery_is_settled_by_itself,
    None => what_is_not_settled_returns_when_the_consumer_is_dropped,
    None => what_is_not_settled_returns_after_a_restart,
    None => a_consumer_holds_no_more_than_its_prefetch,
    None => two_consumers_share_a_queue,
    Some(20) => a_full_queue_refuses_and_takes_again_when_it_has_room,
    None => exactly_the_unroutable_messages_are_reported,
    None => a_message_over_a_size_limit_is_refused,
    None => properties_and_headers_arrive_as_sent,
    None => a_batch_ends_at_its_bounds,
    None => a_cancelled_wait_loses_nothing,
    None => a_waiting_consumer_is_woken,
    None => a_missing_queue_is_a_difference_of_topology,
    None => the_depth_counts_what_waits,
}

async fn confirmed_messages_survive_a_restart(world: &mut World) {
    world.publish(&QUEUE, 0..100).await;
    world.restart().await;
    let mut consumer = world.consume(&QUEUE, 200).await;
    let taken = take(&mut consumer, 100).await;
    assert_eq!(bodies(&taken), (0..100).collect::<Vec<_>>());
}

async fn messages_come_in_the_order_of_publication(world: &mut World) {
    world.publish(&QUEUE, 0..600).await;
    world.publish(&party_queue(), 5000..5010).await;
    world.publish(&QUEUE, 600..700).await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    let mut seen = Vec::new();
    while seen.len() < 700 {
        let batch = next(&mut consumer).await;
        assert!(batch.len() <= 64);
        seen.extend(bodies(&batch));
        settle(&mut consumer, &batch, Settle::Ack).await;
    }
    assert_eq!(seen, (0..700).collect::<Vec<_>>());
}

async fn an_acknowledged_message_is_gone(world: &mut World) {
    world.publish(&QUEUE, 0..10).await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    let taken = take(&mut consumer, 10).await;
    settle(&mut consumer, &taken, Settle::Ack).await;
    world.wait_ready(&QUEUE, 0).await;
    drop(consumer);
    world.restart().await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    expect_none(&mut consumer).await;
}

async fn each_delivery_is_settled_by_itself(world: &mut World) {
    use Settle::{Ack, Requeue};
    world.publish(&QUEUE, 0..6).await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    let taken = take(&mut consumer, 6).await;
    assert_eq!(redelivered(&taken), [false; 6]);
    let how = [Ack, Ack, Requeue, Ack, Requeue];
    let settled = taken
        .iter()
        .zip(how)
        .map(|(delivery, how)| (delivery.tag, how));
    consumer.settle(settled.collect()).await.unwrap();
    let mut again = take(&mut consumer, 2).await;
    sort(&mut again);
    assert_eq!(bodies(&again), [2, 4]);
    assert_eq!(redelivered(&again), [true; 2]);
    settle(&mut consumer, &again, Ack).await;
    settle(&mut consumer, &taken[5..], Ack).await;
    drop(consumer);
    world.restart().await;
    expect_none(&mut world.consume(&QUEUE, 64).await).await;
}

async fn what_is_not_settled_returns_when_the_consumer_is_dropped(world: &mut World) {
    world.publish(&QUEUE, 0..10).await;
    let mut first = world.consume(&QUEUE, 5).await;
    let taken = take(&mut first, 5).await;
    settle(&mut first, &taken[1..2], Settle::Ack).await;
    drop(first);
    world.wait_ready(&QUEUE, 9).await;
    let mut second = world.consume(&QUEUE, 64).await;
    let mut taken = take(&mut second, 9).await;
    sort(&mut taken);
    assert_eq!(bodies(&taken), [0, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(redelivered(&taken)[..4], [true; 4]);
    assert!(!taken[8].redelivered, "it was never handed out");
}

async fn what_is_not_settled_returns_after_a_restart(world: &mut World) {
    world.publish(&QUEUE, 0..10).await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    let taken = take(&mut consumer, 10).await;
    settle(&mut consumer, &taken[..4], Settle::Ack).await;
    drop(consumer);
    world.restart().await;
    let mut consumer = world.consume(&QUEUE, 64).await;
    let mut taken = take(&mut consumer, 6).await;
    sort(&mut taken);
    assert_eq!(bodies(&taken), [4, 5, 6, 7, 8, 9]);
    assert_eq!(redelivered(&taken), [true; 6]);
}

async fn a_consumer_holds_no_more_than_its_prefetch(world: &mut World) {
    world.publish(&QUEUE, 0..10).await;
    let mut consumer = world.consume(&QUEUE, 3).await;
    let taken = take(&mut consumer, 3).await;
    expect_none(&mut consumer).await;
    settle(&mut consumer, &taken[..1], Settle::Ack).await;
    assert_eq!(bodies(&take(&mut consumer, 1).await), [3]);
    expect_none(&mut consumer).await;
    settle(&mut consumer, &taken[1..], Settle::Ack).await;
    assert_eq!(bodies(&take(&mut consumer, 2).await), [4, 5]);
}

async fn two_consumers_share_a_queue(world: &mut World) {
    let mut first = world.consume(&QUEUE, 10).await;
    let mut second = world.consume(&QUEUE, 10).await;
    world.publish(&QUEUE, 0..20).await;
    let (first, second) = tokio::join!(take(&mut first, 10), take(&mut second, 10));
    let mut seen = [bodies(&first), bodies(&second)].concat();
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

/// RabbitMQ may take a few over the limit before it refuses, and none of a full queue until it has
/// some room.
async fn a_full_queue_refuses_and_takes_again_when_it_has_room(world: &mut World) {
    let mut confirmed = Vec::new();
    for body in 0..100 {
        match world
            .broker
            .publish(vec![(QUEUE, message(body))])
            .await
            .unwrap()[..]
        {
            [Published::Confirmed] => confirmed.push(body),
            [Published::Refused] => {}
            ref other => panic!("{other:?}"),
        }
    }
    assert!(
        (20..40).contains(&confirmed.len()),
        "{} of 100",
        confirmed.len()
    );
    let mut consumer = world.consume(&QUEUE, 64).await;
    let taken = take(&mut consumer, confirmed.len()).await;
    assert_eq!(bodies(&taken), confirmed);
    settle(&mut consumer, &taken, Settle::Ack).await;
    let taken_again = async {
        while world
            .broker
            .publish(vec![(QUEUE, message(100))])
            .await
            .unwrap()
            != [Published::Confirmed]
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, taken_again)
        .await
        .expect("it has room");
}

/// Many at once and from two sides, because a broker confirms them in groups.
async fn exactly_the_unroutable_messages_are_reported(world: &mut World) {
    let routable = |body: u32| !body.is_multiple_of(3);
    let queue = |body| {
        if routable(body) {
            QUEUE
        } else {
            unknown_queue()
        }
    };
    let messages = || (0..500).map(|body| (queue(body), message(body))).collect();
    let expected = |body| match routable(body) {
        true => Published::Confirmed,
        false => Published::Unroutable,
    };
    let expected: Vec<Published> = (0..500).map(expected).collect();
    let (one, other) = tokio::join!(
        world.broker.publish(messages()),
        world.broker.publish(messages())
    );
    assert_eq!(one.unwrap(), expected);
    assert_eq!(other.unwrap(), expected);
    world.wait_ready(&QUEUE, 666).await;
}

async fn a_message_over_a_size_limit_is_refused(world: &mut World) {
    let with_body = |length| Message {
        body: vec![b'x'; length].into(),
        ..message(0)
    };
    let with_header = |length| Message {
        headers: [("h".to_owned(), "x".repeat(length - 1))].into(),
        ..message(0)
    };
    let long_id = Message {
        message_id: "x".repeat(256),
        ..message(0)
    };
    let messages = [
        with_body(BODY_BYTES_MAX),
        with_body(BODY_BYTES_MAX + 1),
        with_header(HEADERS_BYTES_MAX),
        with_header(HEADERS_BYTES_MAX + 1),
        long_id,
    ];
    let messages = messages.map(|message| (QUEUE, message)).into();
    let published = world.broker.publish(messages).await.unwrap();
    use Published::{Confirmed, Refused};
    assert_eq!(published, [Confirmed, Refused, Confirmed, Refused, Refused]);
    let mut consumer = world.consume(&QUEUE, 64).await;
    let taken = take(&mut consumer, 2).await;
    assert_eq!(taken[0].message.body.len(), BODY_BYTES_MAX);
    assert_eq!(taken[1].message.headers["h"].len(), HEADERS_BYTES_MAX - 1);
}

async fn properties_and_headers_arrive_as_sent(world: &mut World) {
    let sent = Message {
        correlation_id: Some("an answer to".to_owned()),
        content_type: "application/x-protobuf".to_owned(),
        user: Some(world.login()),
        headers: [("traceparent", "00-ab-cd-01"), ("x-party", "één")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: vec![0, 159, 146, 150].into(),
        ..message(0)
    };
    let bare = Message {
        user: Some(world.login()),
        ..message(1)
    };
    let messages = vec![(party_queue(), sent.clone()), (party_queue(), bare.clone())];
    world.broker.publish(messages).await.unwrap();
    let mut consumer = world.consume(&party_queue(), 64).await;
    let taken = take(&mut consumer, 2).await;
    assert_eq!(taken[0].message, sent);
    assert_eq!(taken[1].message, bare);
}

async fn a_batch_ends_at_its_bounds(world: &mut World) {
    let sized = |length| Message {
        body: vec![b'1'; length].into(),
        ..message(0)
    };
    let messages = [4, 4, 4, 20, 1, 1, 1, 1].map(|length| (QUEUE, sized(length)));
    world.broker.publish(messages.into()).await.unwrap();
    let limits = BatchLimits {
        prefetch: 64,
        messages_max: 3,
        bytes_max: 10,
        wait: Duration::from_secs(1),
    };
    let mut consumer = world.broker.consume(QUEUE, limits).await.unwrap();
    let mut lengths = Vec::new();
    for _ in 0..4 {
        lengths.push(next(&mut consumer).await.len());
    }
    assert_eq!(lengths, [3, 1, 3, 1]);
}

async fn a_cancelled_wait_loses_nothing(world: &mut World) {
    let mut consumer = world.consume(&QUEUE, 1000).await;
    let mut seen = Vec::new();
    let publish = async {
        for start in (0..300).step_by(3) {
            world.publish(&QUEUE, start..start + 3).await;
        }
    };
    let consume = async {
        while seen.len() < 300 {
            let wait = Duration::from_micros(200 + 50 * (seen.len() as u64 % 7));
            if let Ok(batch) = tokio::time::timeout(wait, consumer.next_batch()).await {
                seen.extend(bodies(&batch.unwrap()));
            }
        }
    };
    let both = async { tokio::join!(publish, consume) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("all come in time");
    assert_eq!(seen, (0..300).collect::<Vec<_>>());
}

async fn a_waiting_consumer_is_woken(world: &mut World) {
    let mut consumer = world.consume(&QUEUE, 64).await;
    let (taken, ()) = tokio::join!(take(&mut consumer, 1), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.publish(&QUEUE, 7..8).await;
    });
    assert_eq!(bodies(&taken), [7]);
}

async fn a_missing_queue_is_a_difference_of_topology(world: &mut World) {
    let consumed = world
        .broker
        .consume(unknown_queue(), BatchLimits::default())
        .await;
    assert!(
        matches!(consumed, Err(BrokerError::Topology(_))),
        "{consumed:?}"
    );
    let depth = world.broker.depth(&unknown_queue()).await;
    let Err(BrokerError::Topology(difference)) = depth else {
        panic!("{depth:?}")
    };
    assert!(difference.contains("outcomes.nobody"), "{difference}");
}

async fn the_depth_counts_what_waits(world: &mut World) {
    let empty = Depth {
        ready: 0,
        ..world.broker.depth(&QUEUE).await.unwrap()
    };
    assert_eq!(world.broker.depth(&QUEUE).await.unwrap(), empty);
    assert_eq!(empty.consumers, Some(0));
    world.publish(&QUEUE, 0..9).await;
    assert_eq!(world.wait_ready(&QUEUE, 9).await.consumers, Some(0));
    let mut consumer = world.consume(&QUEUE, 4).await;
    take(&mut consumer, 4).await;
    assert_eq!(world.wait_ready(&QUEUE, 5).await.consumers, Some(1));
}
