namespace Platform.Services;

/// <summary>Refuses: this is measured on PostgreSQL only.</summary>
internal static class WebService
{
    public static Task RunAsync(string[] args) => throw new NotSupportedException("Built for MySQL; it is measured on PostgreSQL.");
}
