using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>The network between one process and its servers.</summary>
public sealed class Network : IAsyncDisposable
{
    public Network(string database, Uri broker)
    {
        Database = TcpProxy.Before(database, out var databaseThroughProxy);
        Broker = TcpProxy.Before(broker, out var brokerThroughProxy);
        (ConnectionString, BrokerUri) = (databaseThroughProxy, brokerThroughProxy);
    }

    public TcpProxy Database { get; }

    public TcpProxy Broker { get; }

    public string ConnectionString { get; }

    public Uri BrokerUri { get; }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
