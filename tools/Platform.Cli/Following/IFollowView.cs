using Platform.Cli.Api;

namespace Platform.Cli.Following;

/// <summary>Shows a followed task to whoever watches.</summary>
internal interface IFollowView
{
    /// <summary>The task as it is now; called after every answer, changed or not.</summary>
    void Show(HeavyTask task);

    /// <summary>The API does not answer; it is asked again. Called after every failed try.</summary>
    void ShowOutage(string reason);
}
