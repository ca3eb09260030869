using RabbitMQ.Client.Exceptions;

namespace Platform.Support.Tests;

public sealed class TestBrokerTests
{
    [Fact]
    public async Task Published_message_is_counted_and_taken()
    {
        await using var broker = await TestBroker.CreateAsync();
        await broker.DeclareQueueAsync("letters", "amq.fanout");
        await broker.PublishAsync("amq.fanout", "", "hello"u8.ToArray(), "text/plain");
        await broker.PublishAsync("", "letters", "again"u8.ToArray(), "text/plain");

        (await broker.QueueDepthsAsync()).ShouldBe(new Dictionary<string, uint> { ["letters"] = 2 });
        (await broker.TakeMessagesAsync("letters")).ShouldBe(["hello", "again"]);
        (await broker.QueueDepthAsync("letters")).ShouldBe(0u);
        await broker.DeleteQueueAsync("letters");
        (await broker.QueueDepthAsync("letters")).ShouldBeNull();
    }

    [Fact]
    public async Task Message_that_reaches_no_queue_is_an_error()
    {
        await using var broker = await TestBroker.CreateAsync();
        await Should.ThrowAsync<PublishException>(() => broker.PublishAsync("", "nowhere", "lost"u8.ToArray(), "text/plain"));
    }

    [Fact]
    public async Task Virtual_hosts_of_two_tests_share_nothing_and_disappear()
    {
        var one = await TestBroker.CreateAsync();
        await using var other = await TestBroker.CreateAsync();
        await one.DeclareQueueAsync("letters", "amq.fanout");
        (await other.QueueDepthsAsync()).ShouldBeEmpty();

        await one.DisposeAsync();

        await Should.ThrowAsync<OperationInterruptedException>(() => one.QueueDepthAsync("letters"));
    }

    [Fact]
    public async Task Connections_are_closed_from_the_brokers_side()
    {
        await using var broker = await TestBroker.CreateAsync();
        await using var connection = await new RabbitMQ.Client.ConnectionFactory
        {
            Uri = broker.Uri,
            AutomaticRecoveryEnabled = false,
        }.CreateConnectionAsync();

        await Eventually.Async(async () => await broker.CloseConnectionsAsync() > 0, TimeSpan.FromSeconds(10));
        await Eventually.Async(() => !connection.IsOpen, TimeSpan.FromSeconds(10));
    }
}
