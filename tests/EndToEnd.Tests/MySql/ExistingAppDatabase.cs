namespace Platform.EndToEnd.Tests;

/// <summary>What the tests of examples/ExistingApp say to MySQL and MariaDB.</summary>
internal static class ExistingAppDatabase
{
    /// <summary>The table, in a query.</summary>
    public const string Invoices = "Invoices";

    /// <summary>For a connection string: three seconds until a request for a connection fails.</summary>
    public const string TimeoutOf3 = "Connection Timeout=3";

    /// <summary>What the driver says then.</summary>
    public const string PoolIsExhausted = "All pooled connections are in use";
}
