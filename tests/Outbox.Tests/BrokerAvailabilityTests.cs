using Microsoft.Extensions.Logging.Abstractions;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>Tests which outcomes make the relay conclude that the broker is away, and which do not.</summary>
public sealed class BrokerAvailabilityTests
{
    private readonly ShiftedTime time = new();
    private readonly BrokerAvailability broker;

    public BrokerAvailabilityTests() => broker = new BrokerAvailability(time, NullLogger.Instance);

    [Fact]
    public void A_message_that_found_no_channel_means_that_it_is_away_and_any_answer_that_it_is_back()
    {
        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.IsAway.ShouldBeTrue();

        broker.Note([Delivery(DeliveryOutcome.Refused), Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.IsAway.ShouldBeFalse();
    }

    // The probes' connection is dropped after each probe that gets no answer, and the next probe may come before there is another
    // connection.
    [Fact]
    public void A_probe_that_found_no_channel_means_nothing_and_its_answer_means_that_it_is_back()
    {
        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: true);
        broker.IsAway.ShouldBeFalse();

        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.Note([Delivery(DeliveryOutcome.Confirmed)], areProbes: true);
        broker.IsAway.ShouldBeFalse();
    }

    [Theory]
    [InlineData(DeliveryOutcome.NotTried)]
    [InlineData(DeliveryOutcome.Resting)]
    [InlineData(DeliveryOutcome.Unsendable)]
    internal void What_was_not_sent_means_nothing(DeliveryOutcome outcome)
    {
        broker.Note([Delivery(outcome)], areProbes: false);

        broker.IsAway.ShouldBeFalse();
    }

    [Fact]
    public void Nobody_concludes_anything_from_a_connection_that_was_given_up_until_there_was_time_for_another()
    {
        broker.Dropped();
        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.IsAway.ShouldBeFalse();

        time.Forward(TimeSpan.FromSeconds(10));
        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.IsAway.ShouldBeTrue();
    }

    [Fact]
    public void A_connection_on_which_there_is_no_channel_for_long_is_given_up_again_and_again()
    {
        broker.Note([Delivery(DeliveryOutcome.Disconnected)], areProbes: false);
        broker.IsStuck.ShouldBeFalse();

        time.Forward(TimeSpan.FromSeconds(20));
        broker.IsStuck.ShouldBeTrue();
        broker.AwayFor.ShouldBe(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5));
        broker.Dropped();
        broker.IsStuck.ShouldBeFalse();

        time.Forward(TimeSpan.FromSeconds(20));
        broker.IsStuck.ShouldBeTrue();
        broker.Note([Delivery(DeliveryOutcome.Confirmed)], areProbes: false);
        broker.IsStuck.ShouldBeFalse();
    }

    private static Delivery Delivery(DeliveryOutcome outcome) =>
        new(new OutboxMessage(), leasedAt: null, claimedUntil: null, new CommittedMessages(0)) { Outcome = outcome };
}
