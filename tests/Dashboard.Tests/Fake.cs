using System.Reflection;

namespace Platform.Dashboard.Tests;

/// <summary>Stands for an interface with many members of which a test needs one.</summary>
public class Fake : DispatchProxy
{
    private Func<string, object?[], object?> answer = null!;

    public static T Of<T>(Func<string, object?[], object?> answer)
        where T : class
    {
        var made = Create<T, Fake>();
        ((Fake)(object)made).answer = answer;
        return made;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => answer(targetMethod!.Name, args ?? []);
}
