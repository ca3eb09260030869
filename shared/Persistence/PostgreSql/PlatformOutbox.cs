using MassTransit;

namespace Platform.Persistence;

/// <summary>The outbox as part of the bus.</summary>
public static class PlatformOutbox
{
    /// <summary>Nothing on PostgreSQL, where <see cref="DatabaseProvider.AddPlatformDatabase"/> adds the outbox; MySQL's belongs to the bus.</summary>
    public static void AddPlatformOutbox(this IBusRegistrationConfigurator bus) => ArgumentNullException.ThrowIfNull(bus);
}
