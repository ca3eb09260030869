namespace HeavyTasksApp.Data;

public sealed class Order
{
    public long Id { get; set; }

    /// <summary>In cents.</summary>
    public long Amount { get; set; }
}
