using Microsoft.AspNetCore.Components;
using Platform.HeavyTasks.Dashboard;

namespace Platform.Dashboard.Tests;

public sealed class PublicTypeTests
{
    /// <summary>Components are public for the framework's sake; nothing else is that applications need not.</summary>
    [Fact]
    public void Applications_see_three_types() =>
        typeof(DashboardEndpoints)
            .Assembly.GetExportedTypes()
            .Where(type => !typeof(IComponent).IsAssignableFrom(type) && type.Name != "_Imports")
            .ShouldBe([typeof(DashboardEndpoints), typeof(DashboardOptions), typeof(DashboardServices)], ignoreOrder: true);
}
